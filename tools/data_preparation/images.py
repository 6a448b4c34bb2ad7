"""Image files: which they are, and which of them cannot be read."""
from __future__ import annotations

import os
from pathlib import Path
from typing import Callable, Iterable, Iterator

from PIL import Image
from progress import progress_bar

from .naming import first_ten, is_litter

# Those that mmpretrain's CustomDataset reads.
SUFFIXES = ('.jpg', '.jpeg', '.png', '.ppm', '.bmp', '.pgm', '.tif')
# With what a file of each format begins: a file's name may lie.
BEGINNINGS = (b'\xff\xd8\xff', b'\x89PNG\r\n\x1a\n', b'BM', b'GIF8', b'RIFF',
              b'P2', b'P3', b'P5', b'P6', b'II*\0', b'MM\0*')


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
    find: Callable[[Path], str] = _flaw_of_pixels if decode else _flaw_of_bytes
    paths = sorted(paths)
    with progress_bar(title, len(paths)) as advance:
        for path in paths:
            flaw = find(path)
            if flaw:
                name = path.relative_to(base).as_posix()
                broken.setdefault(flaw, []).append(name)
            advance(1)
    return [
        f'{len(names)} images {flaw}: {first_ten(names)}'
        for flaw, names in broken.items()
    ]


def _flaw_of_bytes(path: Path) -> str:
    with open(path, 'rb') as file:
        beginning = file.read(16)
    if not beginning:
        return 'are empty'
    return '' if beginning.startswith(BEGINNINGS) else 'are no images'


def _flaw_of_pixels(path: Path) -> str:
    flaw = _flaw_of_bytes(path)
    if flaw:
        return flaw
    try:
        with Image.open(path) as image:
            image.load()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return 'cannot be decoded'
    return ''
