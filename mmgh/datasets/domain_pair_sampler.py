from __future__ import annotations

from itertools import islice
from math import ceil
from typing import Iterator

import torch
from mmengine.dist import get_dist_info, sync_random_seed
from torch.utils.data import Sampler

from mmgh.registry import DATA_SAMPLERS
from mmgh.seeds import mixed_seed
from .domain_pair_dataset import DomainPairDataset


@DATA_SAMPLERS.register_module()
class DomainPairSampler(Sampler):
    """Draws index pairs from two domains of different sizes.

    Each domain is shuffled on its own, and drawn without replacement; a
    domain that runs out is shuffled anew. All ranks draw the same stream and
    take turns.

    Args:
        dataset (DomainPairDataset): The pair.
        infinite (bool): Whether to go on for ever, for iteration-based
            training; an epoch would never end. Else an epoch is as long as
            the larger domain. Defaults to False.
        shuffle (bool): Whether to shuffle. Defaults to True.
        seed (int, optional): Defaults to None: a random seed, common to all
            ranks.
    """

    def __init__(self,
                 dataset: DomainPairDataset,
                 infinite: bool = False,
                 shuffle: bool = True,
                 seed: int | None = None) -> None:
        if not (hasattr(dataset, 'source') and hasattr(dataset, 'target')):
            raise TypeError('A DomainPairSampler should sample from a '
                            'mmgh.DomainPairDataset, but got '
                            f'{type(dataset).__name__}.')
        self.rank, self.world_size = get_dist_info()
        self.sizes = len(dataset.source), len(dataset.target)
        self.infinite = infinite
        self.shuffle = shuffle
        self.seed = sync_random_seed() if seed is None else seed
        self.epoch = 0

    def __iter__(self) -> Iterator[tuple[int, int]]:
        pairs = zip(*(self._indices(domain) for domain in range(2)))
        stop = None if self.infinite else len(self) * self.world_size
        return islice(pairs, self.rank, stop, self.world_size)

    def __len__(self) -> int:
        """Pairs of one epoch on this rank."""
        return ceil(max(self.sizes) / self.world_size)

    def set_epoch(self, epoch: int) -> None:
        """Draw another order in each epoch."""
        self.epoch = epoch

    def _indices(self, domain: int) -> Iterator[int]:
        """Indices of one domain, for ever."""
        generator = torch.Generator()
        # Each domain is shuffled in its own way: equally large ones would
        # otherwise always be paired alike.
        generator.manual_seed(mixed_seed(self.seed, self.epoch, domain))
        size = self.sizes[domain]
        while True:
            if self.shuffle:
                yield from torch.randperm(size, generator=generator).tolist()
            else:
                yield from range(size)
