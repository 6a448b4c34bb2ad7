"""Batches that are the same in a resumed run: those not yet seen, in their
order, and with the random numbers of their iteration."""
from __future__ import annotations

import logging
from copy import copy
from functools import partial
from typing import Any, Callable, Iterator

from mmengine.dataset import InfiniteSampler
from mmengine.dist import get_rank
from mmengine.logging import print_log
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from mmgh.seeds import seed_random_numbers

# Keeps random numbers of the order, and of workers, apart from others.
_ORDER, _WORKER = 1, 2


def resume_batches(runner, sampler_seed: int | None) -> bool:
    """Let the loop of a runner go on with the batches not yet seen.

    Indices are drawn and dropped; nothing is loaded.

    Args:
        runner (Runner): Its loop has the iteration to go on with, 0 in a new
            training.
        sampler_seed (int, optional): Of the run so far. Defaults to None: its
            sampler had none.

    Returns:
        bool: Whether the random numbers of this process are seeded with each
        batch; else that is left to who trains on it.
    """
    loop = runner.train_loop
    if not _has_numbers(loop):
        if loop.iter:
            print_log(
                'The resumed run is not exactly what an uninterrupted one '
                'would be: without a batch sampler, or in a '
                f'{type(loop).__name__}, images already seen cannot be '
                'skipped.',
                logger='current',
                level=logging.WARNING)
        return False
    replaced = loop.dataloader
    batches = NumberedBatches(loop, runner.seed)
    batches.restart(sampler_seed)
    loop.dataloader = batches.loader(replaced)
    if isinstance(loop, EpochBasedTrainLoop):
        _go_on_in_epoch(loop, batches)
    else:
        _go_on(loop, batches)
    replaced._iterator = None  # lets its workers end
    return replaced.num_workers == 0


def _has_numbers(loop) -> bool:
    """Tell whether its batches can be counted without loading them."""
    loader = loop.dataloader
    return (isinstance(loop, (EpochBasedTrainLoop, IterBasedTrainLoop))
            and loader.batch_sampler is not None
            and not isinstance(loader.dataset, IterableDataset))


def _go_on(loop: IterBasedTrainLoop, batches: NumberedBatches) -> None:
    replaced = loop.dataloader_iterator
    epochs = batches.skip(loop.iter)
    iterator = type(replaced)(loop.dataloader)
    iterator._epoch = epochs
    # onedl-mmengine asks to skip, MMEngine takes what was seen.
    taken = 0 if hasattr(replaced, 'skip_iter') else loop.iter
    loop.dataloader_iterator = _PositionedIterator(iterator, taken)


def _go_on_in_epoch(loop: EpochBasedTrainLoop,
                    batches: NumberedBatches) -> None:
    epoch, length = loop.epoch, len(batches)
    seen = min(loop.iter - epoch * length, length)
    if seen <= 0:
        return
    batches.set_epoch(epoch)
    batches.skip(seen, epoch * length)
    run_iter = loop.run_iter

    def run_later_iter(idx: int, data_batch) -> None:
        run_iter(idx + seen if loop.epoch == epoch else idx, data_batch)

    loop.run_iter = run_later_iter


class NumberedBatches:
    """The batch sampler of a training, which may begin later.

    Batches know the iteration that trains on them, which is what their random
    numbers depend on: where one process does it all those of the whole
    iteration, else those of the worker that loads them.

    Args:
        loop (BaseLoop): The training.
        seed (int): Of the run.
    """

    def __init__(self, loop, seed: int) -> None:
        self.batch_sampler = loop.dataloader.batch_sampler
        self._loop = loop
        self._seed = seed, get_rank()
        self._in_process = loop.dataloader.num_workers == 0
        self._begun: Iterator | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(vars(self)['batch_sampler'], name)

    def __len__(self) -> int:
        return len(self.batch_sampler)

    def __iter__(self) -> Iterator[list]:
        number = self._loop.iter
        batches, self._begun = self._begun or self._begin(number), None
        for indices in batches:
            if self._in_process:
                seed_random_numbers(*self._seed, number)
            yield _Batch(indices, number)
            number += 1

    def restart(self, seed: int | None) -> None:
        """Bring the sampler to the beginning of its order.

        Args:
            seed (int, optional): To use instead of its own.
        """
        sampler = getattr(self.batch_sampler, 'sampler', None)
        if seed is not None and hasattr(sampler, 'seed'):
            sampler.seed = seed
        if isinstance(sampler, InfiniteSampler):
            # Workers may have drawn from it already.
            sampler.indices = sampler._indices_of_rank()

    def skip(self, count: int, begin: int = 0) -> int:
        """Begin the next pass after ``count`` batches.

        Args:
            count (int): More than an epoch has, if it is not infinite, are
                those of several.
            begin (int): Iteration of the first of them. Defaults to 0.

        Returns:
            int: How many epochs were ended.
        """
        if not count:
            return 0
        epochs = 0
        batches = self._begin(begin)
        for number in range(begin, begin + count):
            if next(batches, None) is None:
                epochs += 1
                self.set_epoch(epochs)
                batches = self._begin(number)
                next(batches)
        self._begun = batches
        return epochs

    def set_epoch(self, epoch: int) -> None:
        """Let the sampler draw the order of an epoch, if it has several."""
        sampler = getattr(self.batch_sampler, 'sampler', None)
        if hasattr(sampler, 'set_epoch'):
            sampler.set_epoch(epoch)

    def loader(self, loader: DataLoader) -> DataLoader:
        """Copy a loader, to load these batches."""
        prepare = partial(_prepare_worker, loader.worker_init_fn, self._seed)
        loader = copy(loader)
        # Of a loader that is built, torch lets nothing of this be set.
        vars(loader).update(
            batch_sampler=self, worker_init_fn=prepare, _iterator=None)
        return loader

    def _begin(self, number: int) -> Iterator:
        """Begin a pass; samplers of torch draw its order from the common
        random numbers."""
        seed_random_numbers(self._seed[0], number, _ORDER)
        return iter(self.batch_sampler)


class _PositionedIterator:
    """Stands where the loop wants to get by taking the batches before.

    Args:
        iterator (Iterator): What the loop had, positioned.
        taken (int): How many the loop will take.
    """

    def __init__(self, iterator: Iterator, taken: int) -> None:
        self._iterator = iterator
        self._taken = taken

    def __iter__(self) -> _PositionedIterator:
        return self

    def __next__(self):
        if self._taken:
            self._taken -= 1
            return None
        return next(self._iterator)

    def skip_iter(self, num_iters: int) -> None:
        """Do nothing, which is all that is left to do."""


class _Batch(list):
    """Indices, and the iteration that trains on them."""

    def __init__(self, indices, number: int) -> None:
        super().__init__(indices)
        self.number = number

    def __reduce__(self) -> tuple:
        return _Batch, (list(self), self.number)


def _prepare_worker(prepare: Callable | None, seed: tuple[int, int],
                    worker: int) -> None:
    """Let a worker seed its random numbers before each batch."""
    if prepare is not None:
        prepare(worker)
    dataset = get_worker_info().dataset
    load = getattr(dataset, '__getitems__', None) or (
        lambda batch: [dataset[index] for index in batch])

    def load_seeded(batch: _Batch) -> list:
        seed_random_numbers(*seed, batch.number, _WORKER)
        return load(batch)

    dataset.__getitems__ = load_seeded
