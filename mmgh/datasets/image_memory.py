from __future__ import annotations

from mmap import mmap
from typing import Mapping

import numpy as np

CHANNELS = 3


class ImageMemory:
    """Keeps decoded images where all copies of this process see them.

    Each image has a place as large as itself, and is put there by whichever
    process decodes it first, such as a worker of a data loader. Two that do
    so at once write the same. Nothing is taken from the machine before. A
    process that is no copy (``spawn``) gets a memory of its own.

    Args:
        sizes (Mapping[str, int]): Pixels of each image, by its path. One of
            another size is not kept.
    """

    def __init__(self, sizes: Mapping[str, int]) -> None:
        self._sizes = dict(sizes)
        self._numbers = {path: i for i, path in enumerate(self._sizes)}
        ends = CHANNELS * np.cumsum([0, *self._sizes.values()])
        self._ends = ends.astype(np.int64)
        self._pixels = shared_array(self.bytes, np.uint8)
        # 0 until the pixels are there.
        self._heights = shared_array(len(self._sizes), np.int64)

    @property
    def bytes(self) -> int:
        """What all images take."""
        return int(self._ends[-1])

    def __len__(self) -> int:
        """Return for how many images there is a place."""
        return len(self._sizes)

    def get(self, path: str) -> np.ndarray | None:
        """Return a copy of an image ``(H, W, 3)``; None if it is not there."""
        number = self._numbers.get(path)
        if number is None or not self._heights[number]:
            return None
        shape = int(self._heights[number]), -1, CHANNELS
        return self._place(number).reshape(shape).copy()

    def put(self, path: str, image: np.ndarray) -> None:
        """Keep an image ``(H, W, 3)`` of bytes, if there is a place for
        it."""
        number = self._numbers.get(path)
        if number is None or image.nbytes != self._place(number).nbytes:
            return
        self._place(number)[:] = image.reshape(-1)
        self._heights[number] = len(image)

    def _place(self, number: int) -> np.ndarray:
        return self._pixels[self._ends[number]:self._ends[number + 1]]

    def __deepcopy__(self, memo: dict) -> ImageMemory:
        return self

    def __reduce__(self) -> tuple:
        return ImageMemory, (self._sizes, )


def shared_array(length: int, kind: type) -> np.ndarray:
    """Make an array of zeros ``(length, )`` that copies of this process
    share. It is not below /dev/shm, which is small in containers."""
    size = length * np.dtype(kind).itemsize
    return np.frombuffer(mmap(-1, max(size, 1)), kind, count=length)
