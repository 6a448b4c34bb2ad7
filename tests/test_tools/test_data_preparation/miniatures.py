"""Miniatures of data sets, in the layouts in which they are published."""
from __future__ import annotations

import bz2
import gzip
import io
import shutil
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.io import savemat


def png() -> bytes:
    stream = io.BytesIO()
    pixels = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    Image.fromarray(pixels).save(stream, 'png')
    return stream.getvalue()


def shrink(data_set, url: str):
    """A record of the same parts with two images each.

    Args:
        data_set (DataSet): The record.
        url (str): Where all its files are.
    """
    return replace(
        data_set,
        sources=tuple(
            replace(
                source,
                urls=(f'{url}/{source.name}', ),
                md5=None,
                size=None,
                parts=tuple(map(shrink_part, source.parts)))
            for source in data_set.sources))


def shrink_part(part):
    kind = type(part).__name__
    if kind == 'ImageList':
        return replace(part, lines=2)
    if kind == 'DigitFile':
        labels = part.labels and dict.fromkeys(list(part.labels)[:2], 1)
        return replace(part, images=2, labels=labels)
    classes = part.classes
    if isinstance(classes, dict):
        classes = dict.fromkeys(list(classes)[:2], 1)
    return replace(
        part, images=part.images and 2, classes=2 if classes == 345 or
        classes == 65 else classes)


def image_names(part) -> list[str]:
    """Below an image folder."""
    folders = {None: ['trunk00'] * 2, 2: ['class_a', 'class b']}.get(
        part.classes if not isinstance(part.classes, dict) else 0,
        part.classes)
    return [f'{folder}/{i}.png' for i, folder in enumerate(folders)]


def write_part(part, data_set, tree: Path) -> None:
    place = tree / part.path
    kind = type(part).__name__
    if kind == 'ImageFolder':
        for name in image_names(part):
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_bytes(png())
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    if kind == 'DigitFile':
        place.write_bytes(DIGITS[part.form](part))
        return
    images = next(other for other in data_set.parts
                  if other.domain == part.domain and hasattr(other, 'images'))
    place.write_text(''.join(
        f'{Path(images.path, name).relative_to(part.folder)} {label}\n'
        for label, name in enumerate(image_names(images))))


def matlab(part) -> bytes:
    stream = io.BytesIO()
    savemat(stream, dict(X=np.zeros((32, 32, 3, 2), np.uint8),
                         y=np.array([list(part.labels)], np.uint8).T))
    return stream.getvalue()


PIXELS = ' '.join(f'{i}:-0.5' for i in range(1, 257))
DIGITS = {
    'idx-images':
    lambda part: struct.pack('>4i', 2051, 2, 28, 28) + bytes(2 * 28 * 28),
    'idx-labels':
    lambda part: struct.pack('>2i', 2049, 2) + bytes(part.labels),
    'libsvm':
    lambda part: bz2.compress(
        ''.join(f'{label} {PIXELS}\n' for label in part.labels).encode()),
    'matlab': matlab,
}


def publish(data_set, folder: Path, wrapped_in: str = '') -> None:
    """Write all files of a miniature as they are published.

    Args:
        data_set (DataSet): The shrunk record.
        folder (Path): Where the files go.
        wrapped_in (str): A folder within each archive around its parts.
    """
    folder.mkdir(exist_ok=True)
    for source in data_set.sources:
        tree = folder / 'tree'
        for part in source.parts:
            write_part(part, data_set, tree / wrapped_in)
        pack(tree, folder / source.name, source)
        shutil.rmtree(tree)


def pack(tree: Path, path: Path, source) -> None:
    form = dict(zip(('.zip', '.tar', '.gz'), ('zip', 'tar', 'gztar')))
    first = next(file for file in sorted(tree.rglob('*')) if file.is_file())
    if not source.archive:
        shutil.copy(first, path)
    elif path.suffix == '.gz' and '.tar' not in path.suffixes:
        path.write_bytes(gzip.compress(first.read_bytes()))
    else:
        made = shutil.make_archive(
            str(path.parent / 'made'), form[path.suffix], tree)
        shutil.move(made, path)


def tree(folder) -> dict[str, bytes]:
    """All files below a folder but its downloads, and their contents."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob('*')
        if path.is_file() and 'downloads' not in path.parts
    }
