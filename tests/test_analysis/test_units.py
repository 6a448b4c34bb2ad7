"""Units by the names of scalars."""
from __future__ import annotations

import pytest

from mmgh.analysis.units import unit_of
from mmgh.evaluation import UnsupervisedMetric


@pytest.mark.parametrize('name, unit', [
    ('accuracy/top1', '%'), ('oracle/accuracy/top1', '%'),
    ('source/accuracy/top1_thr-0.50', '%'), ('single-label/recall', '%'),
    ('unsupervised/entropy', 'nats'), ('train/loss_domain', ''),
    ('unsupervised/mine', '')])
def test_unit_is_that_of_the_scalar(name, unit):
    assert unit_of(name) == unit


def test_all_unsupervised_scores_have_a_unit():
    items = UnsupervisedMetric(
        ['entropy', 'mutual_information', 'nuclear_norm', 'snd', 'dev']).items
    assert all(unit_of(f'unsupervised/{item}') for item in items)
