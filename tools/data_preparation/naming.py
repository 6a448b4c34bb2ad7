"""Names of files: how they are compared, sought, and told to the user."""
from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Callable, Iterable

from .preparation_error import PreparationError

SHOWN = 10


def first_ten(names: Iterable[str]) -> str:
    """The first names, and how many more there are."""
    names = list(names)
    text = ', '.join(names[:SHOWN])
    more = len(names) - SHOWN
    return f'{text} and {more} more' if more > 0 else text


def is_litter(name: str) -> bool:
    """Whether a file system left it there, such as ``.DS_Store``."""
    return name.startswith('.') or name in ('__MACOSX', 'Thumbs.db')


def same_name(one: str, other: str) -> bool:
    """Archives in the wild write ``Real World`` in several ways."""
    return _letters(one) == _letters(other)


def _letters(name: str) -> str:
    return re.sub('[^a-z0-9]', '', name.lower())


def subfolders(folder: Path) -> list[Path]:
    with os.scandir(folder) as entries:
        return sorted(
            Path(entry.path) for entry in entries
            if entry.is_dir() and not is_litter(entry.name))


def find_below(tree: Path, path: str,
               fits: Callable[[Path], bool]) -> Path | None:
    """The outermost place in a tree whose own path ends in ``path``.

    Args:
        tree (Path): A folder.
        path (str): Such as ``'amazon/images'``; parents do not matter.
        fits (Callable): Whether what has the right name is right.
    """
    names = path.split('/')
    if _ends_in(tree, names) and fits(tree):
        return tree
    folders = [tree]
    while folders:
        found = [
            child for folder in folders if _ends_in(folder, names[:-1])
            for child in _children(folder, names[-1]) if fits(child)
        ]
        if len(found) > 1:
            raise PreparationError(
                f'{tree} has several places that could be {path}: '
                f'{first_ten(map(str, found))}. Name one with --from.')
        if found:
            return found[0]
        folders = [child for folder in folders for child in subfolders(folder)]
    return None


def _ends_in(folder: Path, names: list[str]) -> bool:
    last = folder.absolute().parts[-len(names):] if names else ()
    return len(last) == len(names) and all(map(same_name, last, names))


def _children(folder: Path, name: str) -> list[Path]:
    return sorted(
        child for child in folder.iterdir() if same_name(child.name, name))
