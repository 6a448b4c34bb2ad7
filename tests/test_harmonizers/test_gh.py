"""GH: an obtuse angle becomes the acute one beside it."""
from __future__ import annotations

import pytest
import torch

from mmgh.harmonizers import GH
from .gradient_pairs import (angle_between, gramian_of, pair_at_angle,
                             random_gramians)


def test_equals_pcgrad_of_torchjd():
    """For two tasks PCGrad projects each gradient off the other, too."""
    pcgrad = pytest.importorskip('torchjd.aggregation').PCGradWeighting()
    gramians = random_gramians(3000)
    assert sum(bool(g[0, 1] < 0) for g in gramians) > 1000
    for gramian in gramians:
        torch.testing.assert_close(GH()(gramian), pcgrad(gramian))


@pytest.mark.parametrize('degrees', [91, 120, 150, 179])
@pytest.mark.parametrize('norm_ratio', [0.1, 1, 10])
def test_angle_becomes_its_supplement(degrees, norm_ratio):
    g1, g2 = gradients = pair_at_angle(degrees, norm_ratio)
    product = g1 @ g2
    h1 = g1 - product / (g2 @ g2) * g2
    h2 = g2 - product / (g1 @ g1) * g1
    assert angle_between(h1, h2) == pytest.approx(180 - degrees, abs=1e-6)
    weights = GH()(gramian_of(gradients))
    torch.testing.assert_close(weights @ gradients, h1 + h2)


def test_weighted_gradient_conflicts_with_neither_task():
    for gramian in random_gramians(500):
        if gramian[0, 1] < 0:
            progress = gramian @ GH()(gramian) / gramian.diagonal().sqrt()
            assert (progress > -1e-9 * gramian.diagonal().max().sqrt()).all()
