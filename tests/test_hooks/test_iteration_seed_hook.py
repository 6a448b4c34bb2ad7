"""Random numbers of an iteration depend on the seed and its number."""
from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop

from mmgh.hooks import IterationSeedHook


def make_runner(loop_type, seed: int = 5):
    loop = loop_type.__new__(loop_type)
    loop.dataloader_iterator = iter(range(1000))
    return SimpleNamespace(train_loop=loop, seed=seed)


def numbers(runner, skip: int, count: int) -> list[float]:
    """What a model draws in each iteration, after a replay of ``skip``."""
    IterationSeedHook().before_train(runner)
    iterator = runner.train_loop.dataloader_iterator
    for _ in range(skip):
        next(iterator)
    drawn = []
    for _ in range(count):
        next(iterator)
        drawn.append(torch.rand(()).item())
        torch.rand(3)  # an uninterrupted run draws more than a replay
    return drawn


def test_replay_meets_the_uninterrupted_run():
    whole = numbers(make_runner(IterBasedTrainLoop), 0, 10)
    assert len(set(whole)) == 10
    assert numbers(make_runner(IterBasedTrainLoop), 4, 6) == whole[4:]


def test_seed_and_rank_change_the_numbers(monkeypatch):
    base = numbers(make_runner(IterBasedTrainLoop), 0, 100)
    other_seed = numbers(make_runner(IterBasedTrainLoop, seed=6), 0, 100)
    monkeypatch.setattr('mmgh.hooks.iteration_seed_hook.get_rank', lambda: 1)
    other_rank = numbers(make_runner(IterBasedTrainLoop), 0, 100)
    assert not set(base) & set(other_seed)
    assert not set(base) & set(other_rank)


def test_epoch_based_loop_is_refused():
    with pytest.raises(TypeError, match='iteration-based.*EpochBased'):
        IterationSeedHook().before_train(make_runner(EpochBasedTrainLoop))
