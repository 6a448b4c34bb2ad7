from __future__ import annotations

from mmpretrain.datasets import CustomDataset

from mmgh.registry import DATASETS
from .cached_images import CachedImages


@DATASETS.register_module()
class ImageFolder(CachedImages, CustomDataset):
    """Images in folders of their classes, which may be kept in memory.

    It is mmpretrain's ``CustomDataset``, with the same arguments, and

    Args:
        cache (str, optional): See :class:`CachedImages`.
        cache_gib (float): See :class:`CachedImages`.
        **kwargs: Arguments of mmpretrain's ``CustomDataset``.

    Example:
        >>> dataset = dict(
        ...     type='mmgh.ImageFolder',
        ...     data_root='data/office31/amazon/images',
        ...     cache='memory',
        ...     pipeline=[
        ...         dict(type='LoadImageFromFile'), dict(type='PackInputs')])
    """
