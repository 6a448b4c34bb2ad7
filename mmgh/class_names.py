"""Names of classes, which give the labels of two data sets one meaning."""
from __future__ import annotations

from typing import Iterator, Sequence

import numpy as np
from torch.utils.data import Dataset

from mmgh.input_error import InputError

# So many names are told.
_SHOWN = 20


def check_same_labels(first: Dataset, second: Dataset,
                      sides: tuple[str, str]) -> None:
    """Refuse two data sets whose labels mean different classes.

    Labels that come from folders mean the folders: names that were given by
    hand do not change that.

    Args:
        first (Dataset): A data set.
        second (Dataset): Another one.
        sides (tuple[str, str]): What to call the two in the message.

    Raises:
        ValueError: If names or folders, their number or their order differ.
    """
    check_same_classes(
        classes_of(first), classes_of(second), sides)
    for folders in map(_folders, _parts(first)):
        for others in map(_folders, _parts(second)):
            check_same_classes(
                folders, others,
                (f'the folders of {sides[0]}', f'the folders of {sides[1]}'))


def check_folders(dataset: Dataset, side: str) -> None:
    """Refuse folders that are no classes, or not the classes that are named.

    Args:
        dataset (Dataset): A data set; one whose labels do not come from
            folders passes.
        side (str): What to call it in the message.

    Raises:
        ValueError: If a folder is hidden, or if ``metainfo.classes``, given
            by hand, has its name at another place.
    """
    for part in _parts(dataset):
        folders = _folders(part) or ()
        hidden = [name for name in folders if name.startswith('.')]
        if hidden:
            raise InputError(
                f'Each folder of {side} should be a class, but {hidden} in '
                f'{part.img_prefix} are hidden. Remove them.')
        for label, name in enumerate(classes_of(part) or ()):
            if name in folders and folders.index(name) != label:
                raise InputError(
                    f'`metainfo.classes` of {side} should list its folders in '
                    f'their order, {folders}, since labels follow the '
                    f'folders, but class {label} is {name!r}.')


def classes_of(dataset: Dataset) -> Sequence[str] | None:
    """Return the names of classes in the order of labels; None without."""
    return getattr(dataset, 'metainfo', {}).get('classes')


def describe_classes(dataset: Dataset) -> str:
    """List the classes of labelled data, and say which have no image."""
    names = classes_of(dataset)
    labels = {
        int(label)
        for part in _parts(dataset) if hasattr(part, 'get_data_info')
        for i in range(len(part))
        for label in np.ravel(part.get_data_info(i).get('gt_label', ()))
    }
    empty = [name for i, name in enumerate(names) if i not in labels]
    shown = ', '.join(map(repr, names[:_SHOWN])) + (
        ', ...' if len(names) > _SHOWN else '')
    if not labels or not empty:
        return shown
    return f"{shown}, of which {', '.join(map(repr, empty))} have no image"


def _parts(dataset: Dataset) -> Iterator[Dataset]:
    """Yield what has labels in a pair of domains, and in wrappers such as
    ConcatDataset and RepeatDataset."""
    for name in ('source', 'dataset'):
        if hasattr(dataset, name):
            yield from _parts(getattr(dataset, name))
            return
    if hasattr(dataset, 'datasets'):
        for part in dataset.datasets:
            yield from _parts(part)
    else:
        yield dataset


def _folders(dataset: Dataset) -> list[str] | None:
    """Return the folders by label, where mmpretrain's CustomDataset took the
    labels from them."""
    labels = getattr(dataset, 'folder_to_idx', None)
    return labels and sorted(labels, key=labels.get)


def check_same_classes(first: Sequence[str] | None,
                       second: Sequence[str] | None,
                       sides: tuple[str, str]) -> None:
    """Refuse two data sets whose labels mean different classes.

    Args:
        first (Sequence[str], optional): Names in the order of the labels. An
            empty one is that of a class without images, and equals all
            others. None, for a data set without names, equals anything.
        second (Sequence[str], optional): Those of the other data set.
        sides (tuple[str, str]): What to call the two in the message.

    Raises:
        ValueError: If names, their number or their order differ.
    """
    if not first or not second:
        return
    differing = [(label, a, b) for label, (a, b) in enumerate(
        zip(first, second)) if '' not in (a, b) and a != b]
    if not differing and len(first) == len(second):
        return
    left, right = sides
    only_first = [name for name in first if name not in second]
    only_second = [name for name in second if name not in first]
    if only_first or only_second or not differing:
        raise InputError(
            f'{left.capitalize()} and {right} should have the same classes, '
            f'but {left} alone has {only_first}, and {right} alone has '
            f'{only_second} ({len(first)} and {len(second)} classes).')
    label, a, b = differing[0]
    raise InputError(
        f'{left.capitalize()} and {right} should list their classes in the '
        f'same order, but class {label} is {a!r} in {left} and {b!r} in '
        f'{right}.')
