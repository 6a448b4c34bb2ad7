from __future__ import annotations

from io import StringIO
from pathlib import PurePath
from typing import Iterable

from mmengine.fileio import get_file_backend, get_text
from mmpretrain.datasets import CustomDataset

from mmgh.arguments import COUNT
from mmgh.input_error import InputError
from mmgh.registry import DATASETS
from .cached_images import CachedImages


@DATASETS.register_module()
class ImageList(CachedImages, CustomDataset):
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
        **kwargs: Further arguments: ``cache`` and ``cache_gib`` of
            :class:`CachedImages`, and those of mmpretrain's
            ``CustomDataset``, such as ``data_root``, which the list and its
            images are relative to.

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
            raise InputError('`ann_file` should be the path of a list, but '
                             f'got {ann_file!r}.')
        COUNT.check(num_classes=num_classes)
        self.num_classes = num_classes
        super().__init__(ann_file=ann_file, **kwargs)

    def load_data_list(self) -> list[dict]:
        """Read paths and labels.

        Blank lines, the mark of the byte order that some editors put first,
        and any ends of lines are skipped.
        """
        folder = get_file_backend(self.img_prefix, enable_singleton=True)
        names = _Names()
        data_list = []
        for number, line in enumerate(self._lines(), start=1):
            if line.strip():
                place = f'line {number} of {self.ann_file}'
                path, label = self._split(line, place)
                names.add(PurePath(path).parent.name, label, place)
                data_list.append(
                    dict(
                        img_path=folder.join_path(self.img_prefix, path),
                        gt_label=label))
        self._metainfo['classes'] = tuple(
            names.by_label.get(label, '') for label in range(self.num_classes))
        return data_list

    def _lines(self) -> Iterable[str]:
        try:
            text = get_text(self.ann_file, encoding='utf-8-sig')
        except UnicodeDecodeError as error:
            raise InputError(f'{self.ann_file} should be a text in UTF-8, '
                             f'but: {error}.') from error
        return StringIO(text, newline=None)

    def _split(self, line: str, place: str) -> tuple[str, int]:
        """Return path and label.

        A path may have blanks in it. But a number behind a blank, where the
        name of a file ends, is another label.
        """
        try:
            path, text = line.strip().rsplit(maxsplit=1)
            label = int(text)
            if _ends_in_number(path):
                raise InputError('it has two labels')
        except ValueError as error:
            raise InputError(
                'Each line should be the path of an image and a whole number, '
                f'as in "cat/0001.jpg 3", but {place} is {line.strip()!r}.'
            ) from error
        if not 0 <= label < self.num_classes:
            raise InputError(
                f'The labels should be from 0 to {self.num_classes - 1} with '
                f'`num_classes={self.num_classes}`, but {label} is in '
                f'{place}.')
        return path, label


def _ends_in_number(path: str) -> bool:
    *others, last = path.rsplit(maxsplit=1)
    return bool(others) and last.lstrip('+-').isdecimal()


class _Names:
    """Which folder has which label."""

    def __init__(self) -> None:
        self.by_label: dict[int, str] = {}
        self._labels: dict[str, int] = {}

    def add(self, folder: str, label: int, place: str) -> None:
        """Note what a label means, and that it means nothing else."""
        known = (self.by_label.setdefault(label, folder),
                 self._labels.setdefault(folder, label))
        for name, number in ((known[0], label), (folder, known[1])):
            if (name, number) != (folder, label):
                raise InputError(
                    f'Each folder should have one label of its own, but in '
                    f'{place} {folder!r} with {label} meets {name!r} with '
                    f'{number}.')
