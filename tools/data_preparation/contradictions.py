"""What is wrong between the parts of a data set."""
from __future__ import annotations

from pathlib import Path

from .image_folder import ImageFolder
from .image_list import ImageList
from .naming import first_ten
from .record import Part


def contradictions(parts: list[Part], root: Path) -> list[str]:
    """Of parts that are right in themselves.

    Classes should be the same in all domains, and each image in a list should
    exist.
    """
    names = {
        part.path: part.class_names(root / part.path)
        for part in parts if isinstance(part, ImageFolder)
        and part.classes is not None
    }
    everywhere = set().union(*names.values())
    problems = [
        f'{path} lacks classes that other domains have: '
        f'{first_ten(sorted(everywhere - found))}. Delete the domain that is '
        'wrong, and it is brought again.'
        for path, found in names.items() if found != everywhere
    ]
    for part in parts:
        if isinstance(part, ImageList):
            absent = part.absent_images(root)
            if absent:
                problems.append(f'{part.path}: {len(absent)} of its images '
                                f'are missing: {first_ten(absent)}.')
    return problems


def lacks_images(folder: Part, parts: list[Part], root: Path) -> bool:
    """Whether images of a domain are missing that its lists have."""
    return isinstance(folder, ImageFolder) and any(
        part.absent_images(root) for part in parts
        if isinstance(part, ImageList) and part.domain == folder.domain)
