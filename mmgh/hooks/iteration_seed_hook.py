from __future__ import annotations

from typing import Iterator

from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.runner import IterBasedTrainLoop, set_random_seed

from mmgh.registry import HOOKS


class _SeededIterator:
    """Sets the seed of each iteration before its batch is fetched."""

    def __init__(self, iterator: Iterator, seed: int) -> None:
        self._iterator = iterator
        self._seed = seed

    def __iter__(self) -> _SeededIterator:
        return self

    def __next__(self):
        set_random_seed(self._seed)
        self._seed += 1
        return next(self._iterator)


@HOOKS.register_module()
class IterationSeedHook(Hook):
    """Makes a resumed run equal an uninterrupted one.

    MMEngine replays the data loader when a run is resumed, but not the random
    numbers of dropout and of augmentation. With this hook, those of iteration
    ``i`` depend on the seed of the run, the rank and ``i`` alone. It needs a
    seed, ``randomness=dict(seed=...)``, and an iteration-based train loop.
    """

    # Far enough apart that the iterations of two ranks do not meet.
    _RANK_STRIDE = 10_000_019

    def before_train(self, runner) -> None:
        loop = runner.train_loop
        if not isinstance(loop, IterBasedTrainLoop):
            raise TypeError('`IterationSeedHook` should be used with an '
                            'iteration-based train loop, but got '
                            f'{type(loop).__name__}. Remove the hook, or set '
                            '`train_cfg.by_epoch` to False.')
        seed = runner.seed + self._RANK_STRIDE * get_rank()
        loop.dataloader_iterator = _SeededIterator(loop.dataloader_iterator,
                                                   seed % 2**31)
