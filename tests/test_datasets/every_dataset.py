"""The list of all data sets, by which their common promises are tested.

A new data set needs one line in ``DATASETS``, a function that writes a
miniature of its files if it has such, and nothing else in the tests but what
is its own.
"""
from __future__ import annotations

from pathlib import Path
from typing import Callable

from .layouts import features, svhn2mnist, usps, write_folders, write_list

PACK = [dict(type='PackInputs')]
PACK_FEATURES = [
    dict(type='mmgh.LoadFeatures', view=0),
    dict(type='PackInputs', input_key='features'),
]
LOAD_AND_PACK = [dict(type='LoadImageFromFile'), *PACK]


class Entry:
    """A data set, and the facts about it.

    Args:
        name (str): Of its class.
        write (Callable, optional): Writes its files into a folder.
        index (int | tuple): Of one of its items.
        **options: Its arguments; in strings ``{folder}`` is that folder.
    """

    def __init__(self,
                 name: str,
                 write: Callable[[Path], None] | None = None,
                 *,
                 index: int | tuple = 1,
                 **options) -> None:
        self.name = name
        self.write = write
        self.index = index
        self.options = options

    def __repr__(self) -> str:
        """The id of its tests."""
        return self.name

    @property
    def is_of_two_domains(self) -> bool:
        """Whether it is made of others, which have the pipelines."""
        return 'source' in self.options

    @property
    def is_of_features(self) -> bool:
        """Whether it has those of images, in place of the images."""
        return self.options.get('pipeline') is PACK_FEATURES

    def config(self, folder: Path) -> dict:
        """To build it from, once its files are written."""
        options = {
            key: value.format(folder=folder)
            if isinstance(value, str) else value
            for key, value in self.options.items()
        }
        if not self.is_of_two_domains:
            options.setdefault('pipeline', PACK)
        return dict(type=f'mmgh.{self.name}', **options)


BOTH = dict(
    source=dict(type='mmgh.Digits', split='test', pipeline=PACK),
    target=dict(type='mmgh.DigitsM', split='test', pipeline=PACK))

DATASETS = [
    Entry('Digits', split='test'),
    Entry('DigitsM', split='test'),
    Entry('DomainConcatDataset', index=101, **BOTH),
    Entry('DomainPairDataset', index=(3, 5), **BOTH),
    Entry(
        'FeatureFolder',
        features,
        data_root='{folder}/features',
        domain='target',
        pipeline=PACK_FEATURES),
    Entry(
        'ImageFolder',
        lambda folder: write_folders(folder / 'images', 2),
        data_root='{folder}/images',
        cache='memory',
        pipeline=LOAD_AND_PACK),
    Entry(
        'ImageList',
        lambda folder: write_list(folder, 'real_test', 2),
        data_root='{folder}',
        ann_file='real_test.txt',
        num_classes=3,
        pipeline=LOAD_AND_PACK),
    Entry('SVHN', svhn2mnist, data_root='{folder}/svhn', split='test'),
    Entry('USPS', usps, data_root='{folder}/usps', split='test'),
]
