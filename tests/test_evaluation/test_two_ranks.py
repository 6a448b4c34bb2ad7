"""Two processes know what one does."""
from __future__ import annotations

import pytest
from mmengine.evaluator import Evaluator

from .predictions import make_samples
from .two_ranks import evaluate, evaluate_share

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


def test_ranks_are_told_what_one_process_finds(tmp_path):
    """The number of images is odd, so one of them comes twice: an image of
    the source, or in reverse order one of the target."""
    samples = make_samples()
    assert len(samples) % 2
    alone = [
        evaluate_share(Evaluator(METRICS), ordered, rank=0, world_size=1)
        for ordered in (samples, samples[::-1])
    ]
    assert len(alone[0]) == 10
    for told in evaluate(METRICS, tmp_path):
        for values, expected in zip(told, alone):
            assert values == pytest.approx(expected)
