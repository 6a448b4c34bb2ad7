from __future__ import annotations

from pathlib import PurePath

from mmpretrain.datasets import CustomDataset

from mmgh.arguments import COUNT
from mmgh.registry import DATASETS


@DATASETS.register_module()
class ImageList(CustomDataset):
    """Images and labels from a list, and the names of the classes with them.

    A line of the list is ``<...>/<class>/<image> <label>``: the folder of an
    image is the name of its class. mmpretrain's ``CustomDataset`` reads such
    a list without the names, so that nobody would notice if two lists number
    their classes differently.

    The name of a class without an image is the empty string: some published
    lists of DomainNet lack a class.

    Args:
        ann_file (str): The list.
        num_classes (int): How many classes there are, with or without images
            in the list.
        **kwargs: Further arguments of mmpretrain's ``CustomDataset``, such as
            ``data_root``, which the list and its images are relative to.

    Example:
        >>> dataset = dict(
        ...     type='mmgh.ImageList',
        ...     num_classes=345,
        ...     data_root='data/domainnet',
        ...     ann_file='clipart_train.txt',
        ...     pipeline=[
        ...         dict(type='LoadImageFromFile'), dict(type='PackInputs')])
    """

    def __init__(self, ann_file: str, num_classes: int, **kwargs) -> None:
        if not ann_file:
            raise ValueError('`ann_file` should be the path of a list, but '
                             f'got {ann_file!r}.')
        COUNT.check(num_classes=num_classes)
        self.num_classes = num_classes
        super().__init__(ann_file=ann_file, **kwargs)

    def load_data_list(self) -> list[dict]:
        """Read paths and labels."""
        try:
            data_list = super().load_data_list()
        except ValueError as error:
            raise ValueError(
                f'Each line of {self.ann_file} should be the path of an image '
                'and a whole number, as in "cat/0001.jpg 3", but reading it '
                f'failed: {error}.') from error
        self._metainfo['classes'] = self._names_of_classes(data_list)
        return data_list

    def _names_of_classes(self, data_list: list[dict]) -> tuple[str, ...]:
        names = [''] * self.num_classes
        folders = {(item['gt_label'], PurePath(item['img_path']).parent.name)
                   for item in data_list}
        for label, folder in sorted(folders):
            if not 0 <= label < self.num_classes:
                raise ValueError(
                    f'The labels in {self.ann_file} should be from 0 to '
                    f'{self.num_classes - 1} with `num_classes='
                    f'{self.num_classes}`, but {folder!r} has {label}.')
            if names[label] or folder in names:
                raise ValueError(
                    f'Each folder in {self.ann_file} should have one label of '
                    f'its own, but {folder!r} with {label} meets '
                    f'{_other(names, label, folder)}.')
            names[label] = folder
        return tuple(names)


def _other(names: list[str], label: int, folder: str) -> str:
    """Find what has the same label, or the same folder."""
    other = label if names[label] else names.index(folder)
    return f'{names[other]!r} with {other}'
