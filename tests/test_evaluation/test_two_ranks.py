"""Two processes know what one does."""
from __future__ import annotations

import pytest
from mmengine.evaluator import Evaluator
from mmengine.registry import DefaultScope

from ..processes import on_two_ranks
from .predictions import make_samples

METRICS = [
    dict(type='mmgh.UnsupervisedMetric', items=['snd', 'dev']),
    dict(
        type='mmgh.UnsupervisedMetric',
        items=['entropy', 'mutual_information', 'nuclear_norm', 'snd'],
        prefix='target_only'),
    dict(
        type='mmgh.DomainMetric',
        domain='source',
        metric=dict(type='Accuracy')),
    dict(
        type='mmgh.DomainMetric',
        domain='target',
        metric=[dict(type='Accuracy'),
                dict(type='mmgh.MeanClassAccuracy')]),
    dict(type='mmgh.MeanClassAccuracy'),
]


def evaluate(rank: int, world_size: int = 2) -> list[dict]:
    """What a rank is told of the images, and of them in reverse order."""
    samples = make_samples()
    return [
        evaluate_share(ordered, rank, world_size)
        for ordered in (samples, samples[::-1])
    ]


def evaluate_share(samples: list, rank: int, world_size: int) -> dict:
    """As with MMEngine's sampler the first images come again in the end, so
    that all ranks have equally many."""
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        evaluator = Evaluator(METRICS)
    padded = samples + samples[:-len(samples) % world_size]
    mine = padded[rank::world_size]
    for first in range(0, len(mine), 5):
        evaluator.process(mine[first:first + 5])
    return evaluator.evaluate(len(samples))


def test_ranks_are_told_what_one_process_finds():
    """The number of images is odd, so one of them comes twice: an image of
    the source, or in reverse order one of the target."""
    assert len(make_samples()) % 2
    alone = evaluate(rank=0, world_size=1)
    assert len(alone[0]) == 10
    for told in on_two_ranks(evaluate):
        for values, expected in zip(told, alone):
            assert values == pytest.approx(expected)
