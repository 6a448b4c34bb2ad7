from __future__ import annotations

import math
from contextlib import suppress
from weakref import WeakValueDictionary

from mmcv.transforms import BaseTransform, LoadImageFromFile
from mmengine.fileio import get_local_path
from PIL import Image

from mmgh.arguments import number, one_of
from mmgh.input_error import InputError
from .image_memory import ImageMemory

GIB = 2**30
# Training and validation on the same images need them once.
_MEMORIES: WeakValueDictionary[tuple, ImageMemory] = WeakValueDictionary()


class CachedImages:
    """Lets a data set of image files decode each of them once.

    Its images are then in memory as bytes ``(H, W, 3)``, as large as they are
    in the files, for all workers of the data loader; what the pipeline does
    after loading is done each time. Samples are those without it, bit for
    bit. Each process of a distributed training has a memory of its own.

    Args:
        cache (str, optional): ``'memory'``, or None: read the files each
            time. Defaults to None.
        cache_gib (float): How many GiB the images may take. Defaults to 4.

    Raises:
        InputError: If they take more, or if the pipeline does not begin with
            a ``LoadImageFromFile`` that gives colours as bytes.
    """

    def __init__(self,
                 *args,
                 cache: str | None = None,
                 cache_gib: float = 4,
                 **kwargs) -> None:
        one_of(None, 'memory').check(cache=cache)
        number(above=0).check(cache_gib=cache_gib)
        self.cache = cache
        self.cache_gib = cache_gib
        super().__init__(*args, **kwargs)

    def full_init(self) -> None:
        """Read the list of images, and make room for them."""
        if self._fully_initialized:
            return
        super().full_init()
        if self.cache:
            self._keep_images()

    def _keep_images(self) -> None:
        transforms = self.pipeline.transforms
        loader = transforms[0] if transforms else None
        if (type(loader) is not LoadImageFromFile or loader.to_float32
                or loader.color_type != 'color'):
            raise InputError(
                "`pipeline` should begin with dict(type='LoadImageFromFile'), "
                "which loads colours as bytes, where `cache='memory'` is, but "
                f'got {loader!r}.')
        paths = tuple(
            self.get_data_info(i)['img_path'] for i in range(len(self)))
        transforms[0] = LoadOnce(loader, self._memory(paths, loader))

    def _memory(self, paths: tuple, loader: LoadImageFromFile) -> ImageMemory:
        key = paths, repr(loader)
        memory = _MEMORIES.get(key)
        if memory is None:
            memory = ImageMemory(
                {path: pixels_of(path, loader) for path in paths})
        check_size(memory, self.cache_gib)
        return _MEMORIES.setdefault(key, memory)


class LoadOnce(BaseTransform):
    """Loads an image from its file, or from memory if it is there."""

    def __init__(self, loader: LoadImageFromFile, memory: ImageMemory) -> None:
        self.loader = loader
        self.memory = memory

    def transform(self, results: dict) -> dict | None:
        """Add ``img`` and its size."""
        path = results['img_path']
        image = self.memory.get(path)
        if image is None:
            results = self.loader(results)
            if results is not None:
                self.memory.put(path, results['img'])
            return results
        results['img'] = image
        results['img_shape'] = results['ori_shape'] = image.shape[:2]
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}({self.loader!r})'


def pixels_of(path: str, loader: LoadImageFromFile) -> int:
    """Read the size of an image from the head of its file; 0 for what is no
    image: the loader tells so when its turn comes."""
    options = dict(backend_args=loader.backend_args)
    with suppress(Exception), get_local_path(
            path, **options) as file, Image.open(file) as image:
        return math.prod(image.size)
    return 0


def check_size(memory: ImageMemory, gib: float) -> None:
    """Refuse images that do not fit."""
    needed = memory.bytes / GIB
    if needed > gib:
        raise InputError(
            f'`cache_gib` should be at least {math.ceil(100 * needed) / 100}, '
            f'which the {len(memory)} images take in memory, but got {gib}. '
            'Without `cache` they are read from their files.')
