"""Files of digits, which hold many images each."""
from __future__ import annotations

import bz2
import struct
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from .naming import find_below, first_ten


@dataclass(frozen=True)
class DigitFile:
    """Images, labels or both in one file.

    Example:
        >>> DigitFile('train', path='usps.bz2', form='libsvm', images=7291,
        ...           labels={1: 1194, 2: 1005})  # and so on
    """

    domain: str
    path: str
    form: str
    """A key of ``READERS``."""
    images: int
    labels: dict[int, int] | None = None
    """How often each label occurs; None if the file has none."""

    def find(self, tree: Path) -> Path | None:
        return find_below(tree, self.path, Path.is_file)

    def problems(self, place: Path, decode: bool) -> list[str]:
        try:
            images, labels = READERS[self.form](place)
        except (OSError, EOFError, ValueError, TypeError, KeyError,
                NotImplementedError, struct.error, zlib.error) as error:
            return [f'cannot be read: {error!r}']
        problems = []
        if images != self.images:
            problems.append(f'{images} images instead of {self.images}')
        if self.labels is not None and labels != self.labels:
            found = sorted(set(labels) | set(self.labels))
            problems.append('images of labels: ' + first_ten(
                f'{label} has {labels.get(label, 0)} instead of '
                f'{self.labels.get(label, 0)}' for label in found
                if labels.get(label, 0) != self.labels.get(label, 0)))
        return problems

    def summary(self) -> str:
        return f'{self.path} {self.images} digits'


def read_idx_images(path: Path) -> tuple[int, dict[int, int]]:
    """MNIST's images: of the file, only its header and length are read."""
    with open(path, 'rb') as file:
        magic, count, height, width = struct.unpack('>4i', file.read(16))
    if magic != 2051:
        raise ValueError(f'it begins with {magic}, not with 2051')
    length = 16 + count * height * width
    if path.stat().st_size != length:
        raise ValueError(f'it has {path.stat().st_size} bytes, not {length}')
    return count, {}


def read_idx_labels(path: Path) -> tuple[int, dict[int, int]]:
    data = path.read_bytes()
    magic, count = struct.unpack('>2i', data[:8])
    if magic != 2049:
        raise ValueError(f'it begins with {magic}, not with 2049')
    if len(data) != 8 + count:
        raise ValueError(f'it has {len(data)} bytes, not {8 + count}')
    return count, dict(Counter(data[8:]))


def read_libsvm(path: Path) -> tuple[int, dict[int, int]]:
    """LIBSVM's USPS: a label and 256 numbered pixels in each line."""
    labels: Counter = Counter()
    with bz2.open(path, 'rt', encoding='ascii') as file:
        for number, line in enumerate(file, start=1):
            label, *pixels = line.split()
            if len(pixels) != 256:
                raise ValueError(f'line {number} has {len(pixels)} pixels')
            labels[int(label)] += 1
    return sum(labels.values()), dict(labels)


def read_matlab(path: Path) -> tuple[int, dict[int, int]]:
    """SVHN's ``X`` (32, 32, 3, N) and ``y`` (N, 1)."""
    from scipy.io import loadmat, whosmat
    from scipy.io.matlab import MatReadError
    try:
        shapes = {name: shape for name, shape, _ in whosmat(path)}
        labels = loadmat(path, variable_names=['y'])['y'].ravel().tolist()
    except MatReadError as error:
        raise ValueError(str(error)) from error
    *pixels, images = shapes['X']
    if pixels != [32, 32, 3] or images != len(labels):
        raise ValueError(f"images {shapes['X']} with {len(labels)} labels")
    return images, dict(Counter(labels))


READERS = {
    'idx-images': read_idx_images,
    'idx-labels': read_idx_labels,
    'libsvm': read_libsvm,
    'matlab': read_matlab,
}
