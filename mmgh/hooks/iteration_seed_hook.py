from __future__ import annotations

from typing import Iterator

from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.runner import IterBasedTrainLoop, set_random_seed

from mmgh.registry import HOOKS
from mmgh.seeds import mixed_seed


class _SeededIterator:
    """Sets the seed of each iteration before its batch is fetched."""

    def __init__(self, iterator: Iterator, seed: int, rank: int) -> None:
        self._iterator = iterator
        self._seed = seed
        self._rank = rank
        self._count = 0

    def __iter__(self) -> _SeededIterator:
        return self

    def __next__(self):
        set_random_seed(mixed_seed(self._seed, self._rank, self._count))
        self._count += 1
        return next(self._iterator)


@HOOKS.register_module()
class IterationSeedHook(Hook):
    """Makes a resumed run equal an uninterrupted one.

    MMEngine replays the data loader when a run is resumed, and with it the
    random numbers of its workers, but not those of the main process: dropout,
    and augmentation if there are no workers. With this hook, those of
    iteration ``i`` depend on the seed of the run, the rank and ``i`` alone. It
    needs a seed, ``randomness=dict(seed=...)``, and an iteration-based train
    loop.

    Example:
        >>> custom_hooks = [dict(type='mmgh.IterationSeedHook')]
        >>> randomness = dict(seed=0)
    """

    def before_train(self, runner) -> None:
        loop = runner.train_loop
        if not isinstance(loop, IterBasedTrainLoop):
            raise TypeError('`IterationSeedHook` should be used with an '
                            'iteration-based train loop, but got '
                            f'{type(loop).__name__}. Remove the hook, or set '
                            '`train_cfg.by_epoch` to False.')
        loop.dataloader_iterator = _SeededIterator(loop.dataloader_iterator,
                                                   runner.seed, get_rank())
