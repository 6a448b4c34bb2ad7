"""The files in a folder, and those of them that count."""
from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from image_check import Seen
from mmengine.fileio import list_dir_or_file

from mmgh.image_names import EXTENSIONS, is_hidden
from mmgh.input_error import InputError


class Listing(NamedTuple):
    """The files in a folder, whatever they hold."""

    folder: Path
    images: list[str]
    """Paths relative to the folder, by their names images, sorted."""
    others: list[str]

    @property
    def digest(self) -> str:
        """Of the names of the images and the sizes of their files: times are
        others wherever they are copied to."""
        found = '\n'.join(f'{_size(self.folder / name)} {name}'
                          for name in self.images)
        return hashlib.sha256(
            found.encode(errors='surrogateescape')).hexdigest()[:16]

    @property
    def classes(self) -> list[str]:
        """Names of the folders with images."""
        return sorted({class_of(name) for name in self.images} - {''})

    def folders_below(self) -> dict[str, set[str]]:
        """Return the folders within each class."""
        below: dict[str, set[str]] = {name: set() for name in self.classes}
        for name in self.images:
            first, *between, _ = name.split('/')
            if between:
                below[first].add(between[0])
        return below


class Domain(NamedTuple):
    """The images of a domain that count."""

    folder: Path
    images: list[str]
    """Paths relative to the folder."""
    labels: list[int] | None
    """None without."""

    def counts(self) -> Counter:
        """Count the images of each label."""
        return Counter(self.labels or ())


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:  # a link to nothing, which is told of later
        return None


def class_of(name: str) -> str:
    """Return the folder of an image; an empty string if it is in none."""
    first, _, rest = name.partition('/')
    return first if rest else ''


def list_images(folder: Path) -> Listing:
    """List the files of a folder as data sets do, without hidden ones.

    Raises:
        InputError: If there is no such folder, or no image in it.
    """
    if not folder.is_dir():
        raise InputError(f'{folder} should be a folder of images, but there '
                         'is no such folder.')
    names = sorted(
        Path(name).as_posix()
        for name in list_dir_or_file(folder, list_dir=False, recursive=True)
        if not is_hidden(name))
    images = [name for name in names if name.lower().endswith(EXTENSIONS)]
    if not images:
        raise InputError(f'{folder} should have images '
                         f"({', '.join(EXTENSIONS)}), but has none.")
    return Listing(folder, images, sorted(set(names) - set(images)))


def flaw_of(listing: Listing, image: str, seen: dict[Path, Seen]) -> str:
    """Tell why an image cannot be trained on; an empty string if it can."""
    return 'have names that are no text' if not _is_text(image) else (
        seen[listing.folder / image].flaw)


def _is_text(name: str) -> bool:
    """Whether a list can have the name in one line."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return name == name.strip() and len(name.splitlines()) == 1
