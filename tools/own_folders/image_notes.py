"""Sentences about the images of two folders."""
from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Iterable

from data_preparation.naming import first_ten
from image_check import Seen

from .listing import Domain, Listing, class_of, flaw_of


def notes_of_files(listing: Listing, seen: dict[Path, Seen]) -> list[str]:
    """Tell which files are no good, and which are unusual."""
    groups: dict[str, list[str]] = {}
    for image in listing.images:
        flaw = flaw_of(listing, image, seen)
        if flaw:
            groups.setdefault(f'{flaw}, and are left out', []).append(image)
        else:
            for oddity in seen[listing.folder / image].oddities:
                groups.setdefault(oddity, []).append(image)
    if listing.others:
        suffixes = sorted({Path(name).suffix or 'none'
                           for name in listing.others})
        groups[f"are no images by their suffixes ({', '.join(suffixes)}), and "
               'are left out'] = listing.others
    return [f'{len(names)} files {what}: {first_ten(names)}.'
            for what, names in groups.items()]


def notes_of_nesting(source: Listing) -> list[str]:
    """Tell where the classes may be one folder further down."""
    first, *others = source.folders_below().values()
    if len(first) < 2 or any(other != first for other in others):
        return []
    return [f'source: all of its classes, {first_ten(source.classes)}, have '
            f'the same folders, {first_ten(sorted(first))}. If these are the '
            'classes, give a folder that has them.']


def notes_of_classes(source: Listing, good: list[list[str]],
                     classes: list[str], labelled: bool) -> list[str]:
    """Tell what one of the domains lacks.

    Args:
        source (Listing): All of its images.
        good (list[list[str]]): Those of both that can be read.
        classes (list[str]): Of the source, with images that can be read.
        labelled (bool): Whether the target has labels.
    """
    loose = [image for image in good[0] if not class_of(image)]
    notes = [f'source: {len(loose)} images are in no class, and are left out: '
             f'{first_ten(loose)}.'] if loose else []
    empty = sorted(set(source.classes) - set(classes))
    if empty:
        notes.append('source: no image can be read of '
                     f'{first_ten(empty)}, which are left out.')
    if labelled:
        return notes + _notes_of_labels(Counter(map(class_of, good[1])),
                                        classes)
    return [*notes, 'target: no labels. What is chosen and compared is by its '
            'predictions alone, not by whether they are right.']


def _notes_of_labels(found: Counter, classes: list[str]) -> list[str]:
    notes = []
    extra = {name: count for name, count in found.items()
             if name not in classes}
    if extra:
        listed = first_ten(f"{name or '(no folder)'} ({count})"
                           for name, count in sorted(extra.items()))
        notes.append(
            f'target: {sum(extra.values())} images are of no class of the '
            'source, and are left out, since no answer could be right: '
            f'{listed}.{hint_of_case(extra, classes)}')
    missing = [name for name in classes if name not in found]
    if missing:
        notes.append(
            f'target: {len(missing)} of the {len(classes)} classes of the '
            f'source have no image: {first_ten(missing)}. Alignment expects '
            'the same classes in both domains, and may harm where they are '
            'not.')
    return notes


def hint_of_case(names: Iterable[str], classes: Iterable[str]) -> str:
    """Tell which names are those of classes but for capital letters; an empty
    string if none are."""
    known = {name.casefold(): name for name in classes}
    alike = [f'{name} = {known[name.casefold()]}' for name in sorted(names)
             if known.get(name.casefold(), name) != name]
    return (' Names that differ in capital letters alone are other classes; '
            f'rename the folders if they are not: {first_ten(alike)}.'
            ) if alike else ''


def notes_of_copies(domains: list[Domain],
                    seen: dict[Path, Seen]) -> list[str]:
    """Tell which images are equal pixel by pixel."""
    of_source, of_target = (_by_pixels(domain, seen) for domain in domains)
    shared = [
        f'{image} = {of_source[pixels][0][0]}'
        for pixels, copies in of_target.items() if pixels in of_source
        for image, _ in copies
    ]
    notes = [
        f'target: {len(shared)} images are in the source, too, pixel by '
        f'pixel. On these it is no other domain: {first_ten(shared)}.'
    ] if shared else []
    for name, groups in (('source', of_source), ('target', of_target)):
        copies = sum(len(group) - 1 for group in groups.values())
        if copies:
            notes.append(f'{name}: {copies} images are copies of others.')
        twice = [' = '.join(image for image, _ in group)
                 for group in groups.values()
                 if len({label for _, label in group}) > 1]
        if twice:
            notes.append(f'{name}: {len(twice)} images are in several '
                         f'classes: {first_ten(twice)}.')
    return notes


def _by_pixels(domain: Domain, seen: dict[Path, Seen]
               ) -> dict[str, list[tuple[str, int]]]:
    """Group images and labels; without labels all have one."""
    groups: dict[str, list[tuple[str, int]]] = {}
    labels = domain.labels or [0] * len(domain.images)
    for image, label in zip(domain.images, labels):
        pixels = seen[domain.folder / image].pixels
        groups.setdefault(pixels, []).append((image, label))
    return groups
