"""Image files: which they are, and which of them cannot be read."""
from __future__ import annotations

import os
from pathlib import Path
from typing import Iterable, Iterator

from image_check import flaw_of_bytes, look_at_all
from progress import progress_bar

from .naming import first_ten, is_litter

# Those that mmpretrain's CustomDataset reads.
SUFFIXES = ('.jpg', '.jpeg', '.png', '.ppm', '.bmp', '.pgm', '.tif')


def is_image(name: str) -> bool:
    return name.lower().endswith(SUFFIXES) and not is_litter(name)


def holds_images(folder: Path) -> bool:
    """Whether there are any images directly in a folder."""
    with os.scandir(folder) as entries:
        return any(is_image(entry.name) for entry in entries)


def images_below(folder: Path) -> Iterator[Path]:
    """All images in a folder, at any depth."""
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not is_litter(name)]
        yield from (Path(parent, name) for name in names if is_image(name))


def broken_images(paths: Iterable[Path], base: Path, decode: bool,
                  title: str) -> list[str]:
    """One sentence for each way in which some of the images are broken.

    Args:
        paths (Iterable[Path]): Of the images.
        base (Path): Names are told relative to this folder.
        decode (bool): Decode each image. Otherwise its first bytes tell.
        title (str): What the progress bar says.
    """
    broken: dict[str, list[str]] = {}
    paths = sorted(paths)
    for path, flaw in zip(paths, _flaws(paths, decode, title)):
        if flaw:
            name = path.relative_to(base).as_posix()
            broken.setdefault(flaw, []).append(name)
    return [
        f'{len(names)} images {flaw}: {first_ten(names)}'
        for flaw, names in broken.items()
    ]


def _flaws(paths: list[Path], decode: bool, title: str) -> Iterator[str]:
    if decode:
        yield from (seen.flaw for seen in look_at_all(paths, title))
        return
    with progress_bar(title, len(paths)) as advance:
        for path in paths:
            yield flaw_of_bytes(path)
            advance(1)
