"""Two folders as a source and a target."""
from __future__ import annotations

from pathlib import Path
from typing import Iterable, NamedTuple, Sequence

from data_preparation.naming import first_ten
from image_check import Seen

from mmgh.input_error import InputError
from .image_notes import (hint_of_case, notes_of_classes, notes_of_copies,
                          notes_of_files, notes_of_nesting)
from .listing import Domain, Listing, class_of, flaw_of

# Names of parts of data sets, which are no classes.
SPLITS = frozenset(('train', 'training', 'val', 'valid', 'validation', 'dev',
                    'eval', 'test', 'testing'))


class Pair(NamedTuple):
    """Two domains, and what to tell of their images."""

    classes: list[str]
    source: Domain
    target: Domain
    notes: list[str]


def check_folders(source: Listing, target: Listing) -> None:
    """Refuse folders that are no pair of domains, before looking at images.

    Raises:
        InputError: If the source has no classes, or folders of classes in
            their place, or if one is within the other.
    """
    _check_apart(source.folder, target.folder)
    if len(source.classes) < 2:
        raise InputError(
            f'{source.folder} should have two classes or more, '
            '<folder>/<class>/<image>, but has the folders '
            f'{source.classes}.')
    below = source.folders_below()
    shared = set.intersection(*below.values())
    if shared and {name.lower() for name in below} <= SPLITS:
        # As in data sets, the largest one.
        first = max(below, key=lambda name: name.lower().startswith('train'))
        raise InputError(
            f'{source.folder} should have classes, <folder>/<class>/<image>, '
            f'but its folders {first_ten(below)} are parts of a data set, '
            f'which have the folders {first_ten(sorted(shared))}. Give one '
            f'of them, such as --source {source.folder / first}.')


def _check_apart(source: Path, target: Path) -> None:
    source, target = source.resolve(), target.resolve()
    if source == target:
        raise InputError('`--source` and `--target` should be two folders, '
                         f'but both are {source}.')
    for inner, outer in ((source, target), (target, source)):
        if inner.is_relative_to(outer):
            raise InputError(
                '`--source` and `--target` should be apart, but '
                f'{inner} is in {outer}, and its images would be in both '
                'domains.')


def has_labels(source: Listing, target: Listing, wanted: bool) -> bool:
    """Tell whether the folders of the target are classes.

    Raises:
        InputError: If it has folders, and none is a class of the source.
    """
    if not (wanted and target.classes):
        return False
    if not set(source.classes) & set(target.classes):
        raise InputError(
            f'{target.folder} should have classes of {source.folder}, '
            f'{first_ten(source.classes)}, but has the folders '
            f'{first_ten(target.classes)}.'
            f'{hint_of_case(target.classes, source.classes)} If they are no '
            'classes: --no-target-labels.')
    return True


def make_pair(source: Listing, target: Listing, labelled: bool,
              seen: dict[Path, Seen]) -> Pair:
    """Choose the images that count, and say which do not, and why.

    Args:
        source (Listing): With folders of classes.
        target (Listing): With or without.
        labelled (bool): Whether the folders of the target are its labels.
        seen (dict[Path, Seen]): What each image holds.

    Raises:
        InputError: If too little is left.
    """
    notes, good = [], []
    for listing, name in ((source, 'source'), (target, 'target')):
        good.append([image for image in listing.images
                     if not flaw_of(listing, image, seen)])
        notes += [f'{name}: {note}' for note in notes_of_files(listing, seen)]
    classes = sorted({class_of(image) for image in good[0]} - {''})
    if len(classes) < 2 or not good[1]:
        raise InputError(
            'There should be images that can be read of two classes of the '
            f"source, and of the target, but: {' '.join(notes)}")
    domains = [_domain(source, good[0], classes),
               _domain(target, good[1], classes if labelled else None)]
    if not domains[1].images:
        raise InputError(f'{target.folder} should have images of the classes '
                         f'{first_ten(classes)}, but has none.')
    notes += [*notes_of_nesting(source),
              *notes_of_classes(source, good, classes, labelled),
              *notes_of_copies(domains, seen)]
    return Pair(classes, *domains, notes)


def _domain(listing: Listing, images: Iterable[str],
            classes: Sequence[str] | None) -> Domain:
    if classes is None:
        return Domain(listing.folder, list(images), None)
    images = [image for image in images if class_of(image) in classes]
    return Domain(listing.folder, images,
                  [classes.index(class_of(image)) for image in images])
