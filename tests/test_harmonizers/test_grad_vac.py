"""GradVac against torchjd, and what it promises."""
from __future__ import annotations

import math

import pytest
import torch

from mmgh.harmonizers import GH, GradVac
from .gradient_pairs import gramian_of, pair_at_angle, random_gramians


@pytest.mark.parametrize('beta', [0., 0.01, 0.5, 1.])
def test_equals_torchjd_over_a_training(beta):
    aggregation = pytest.importorskip('torchjd.aggregation')
    ours, theirs = GradVac(beta), aggregation.GradVac(beta, eps=0.)
    changed = 0
    for gramian in random_gramians(200):
        expected = theirs.gramian_weighting(gramian.double())
        weights = ours(gramian.double())
        torch.testing.assert_close(weights, expected)
        changed += weights.tolist() != [1, 1]
    assert 50 < changed < 200


def test_first_step_is_that_of_gh():
    for gramian in random_gramians(50):
        torch.testing.assert_close(GradVac()(gramian), GH()(gramian))


def test_turned_gradients_have_the_old_cosine():
    harmonizer = GradVac(beta=1.)
    harmonizer(gramian_of(pair_at_angle(60, norm_ratio=2)))
    gradients = pair_at_angle(100, norm_ratio=3)
    weights = harmonizer(gramian_of(gradients))
    first, second = gradients
    for turned, other in ((first + (weights[1] - 1) * second, second),
                          (second + (weights[0] - 1) * first, first)):
        cosine = torch.cosine_similarity(turned, other, dim=0).item()
        assert cosine == pytest.approx(math.cos(math.radians(60)), abs=1e-5)


@pytest.mark.parametrize('value', [0., math.inf, math.nan])
def test_memory_does_not_take_in_what_is_undefined(value):
    """An overflow under mixed precision would stay for ever."""
    harmonizer, untouched = GradVac(), GradVac()
    gramian = gramian_of(pair_at_angle(60, norm_ratio=2))
    broken = gramian.clone()
    broken[0, 0] = value
    for each in (harmonizer, untouched):
        each(gramian)
    assert harmonizer(broken).tolist() == [1, 1]
    assert harmonizer.state_dict() == untouched.state_dict()


@pytest.mark.parametrize('beta', [-0.1, 1.1, math.nan])
def test_beta_outside_is_refused(beta):
    with pytest.raises(ValueError, match=r'`beta` .* in \[0, 1\]'):
        GradVac(beta)
