from __future__ import annotations

import logging
from itertools import islice
from math import ceil
from typing import Iterator

import numpy as np
import torch
from mmengine.dataset import BaseDataset
from mmengine.dist import get_dist_info, sync_random_seed
from mmengine.logging import print_log
from torch import Tensor
from torch.utils.data import Sampler

from mmgh.arguments import FLAG, number
from mmgh.input_error import InputError, InputTypeError
from mmgh.registry import DATA_SAMPLERS
from mmgh.seeds import mixed_seed
from .domain_concat_dataset import DomainConcatDataset
from .domain_pair_dataset import DomainPairDataset


@DATA_SAMPLERS.register_module()
class DomainPairSampler(Sampler):
    """Draws index pairs from two domains of different sizes.

    Each domain is shuffled on its own, and drawn without replacement; a
    domain that runs out is shuffled anew. All ranks draw the same stream and
    take turns.

    With ``balance_source`` the source is drawn class by class: each class
    once, in random order, then each class once again, and so on. The images
    of a class are drawn without replacement. So a batch has each class about
    as often as any other, whatever their sizes. The target has no labels to
    balance it by.

    Args:
        dataset (DomainPairDataset): The pair.
        infinite (bool): Whether to go on for ever, for iteration-based
            training; an epoch would never end. Else an epoch is as long as
            the larger domain. Defaults to False.
        shuffle (bool): Whether to shuffle. Defaults to True.
        seed (int, optional): Defaults to None: a random seed, common to all
            ranks.
        balance_source (bool): Whether all classes of the source that have
            images are drawn equally often. Defaults to False.

    Example:
        >>> sampler = dict(
        ...     type='mmgh.DomainPairSampler',
        ...     infinite=True,
        ...     balance_source=True)
    """

    def __init__(self,
                 dataset: DomainPairDataset,
                 infinite: bool = False,
                 shuffle: bool = True,
                 seed: int | None = None,
                 balance_source: bool = False) -> None:
        if isinstance(dataset, DomainConcatDataset) or not (hasattr(
                dataset, 'source') and hasattr(dataset, 'target')):
            raise InputTypeError(
                "`train_dataloader.dataset.type` should be 'mmgh."
                "DomainPairDataset', from which a DomainPairSampler samples, "
                f'but got {type(dataset).__name__}.')
        FLAG.check(
            infinite=infinite, shuffle=shuffle, balance_source=balance_source)
        number(at_least=0, whole=True).or_none().check(seed=seed)
        self.rank, self.world_size = get_dist_info()
        self.sizes = len(dataset.source), len(dataset.target)
        self.infinite = infinite
        self.shuffle = shuffle
        self.seed = sync_random_seed() if seed is None else seed
        self.epoch = 0
        self.source_classes = (
            _indices_by_class(dataset.source) if balance_source else None)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        pairs = zip(*(self._indices(domain) for domain in range(2)))
        stop = None if self.infinite else len(self) * self.world_size
        return islice(pairs, self.rank, stop, self.world_size)

    def __len__(self) -> int:
        """Count the pairs of one epoch on this rank."""
        return ceil(max(self.sizes) / self.world_size)

    def set_epoch(self, epoch: int) -> None:
        """Draw another order in each epoch."""
        self.epoch = epoch

    def _indices(self, domain: int) -> Iterator[int]:
        """Yield indices of one domain, for ever."""
        generator = torch.Generator()
        # Each domain is shuffled in its own way: equally large ones would
        # otherwise always be paired alike.
        generator.manual_seed(mixed_seed(self.seed, self.epoch, domain))
        if domain == 0 and self.source_classes:
            images = [self._cycle(c, generator) for c in self.source_classes]
            classes = self._cycle(torch.arange(len(images)), generator)
            return (next(images[c]) for c in classes)
        return self._cycle(torch.arange(self.sizes[domain]), generator)

    def _cycle(self, values: Tensor,
               generator: torch.Generator) -> Iterator[int]:
        """Yield all values, in a new order each time, for ever."""
        while True:
            if self.shuffle:
                order = torch.randperm(len(values), generator=generator)
                yield from values[order].tolist()
            else:
                yield from values.tolist()


def _indices_by_class(dataset: BaseDataset) -> list[Tensor]:
    """List the images of each class that has some."""
    # Wrappers such as ConcatDataset have `get_data_info` only.
    labels = [
        dataset.get_data_info(i).get('gt_label') for i in range(len(dataset))
    ]
    if not all(np.ndim(label) == 0 and label is not None for label in labels):
        raise InputError('`balance_source` needs one label for each image of '
                         'the source, but some have none or several.')
    labels = torch.tensor([int(label) for label in labels])
    names = dataset.metainfo.get('classes') or ()
    empty = [name for i, name in enumerate(names) if i not in labels]
    if empty:
        print_log(
            f'The source has no images of {empty}: they will not be drawn.',
            logger='current',
            level=logging.WARNING)
    return [(labels == label).nonzero().flatten()
            for label in labels.unique()]
