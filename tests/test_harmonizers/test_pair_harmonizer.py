"""Promises that every harmonizer of a pair keeps."""
from __future__ import annotations

import pytest
import torch

from mmgh.harmonizers import GH, GHPlusPlus
from .gradient_pairs import gramian_of, pair_at_angle, random_gramians

HARMONIZERS = [
    GH(),
    GHPlusPlus(),
    GHPlusPlus(harmonic_range=0),
    GHPlusPlus(harmonic_range=1),
    GHPlusPlus(form='published')
]
pytestmark = pytest.mark.parametrize(
    'harmonizer', HARMONIZERS, ids=lambda h: f'{type(h).__name__}-'
    f'{getattr(h, "harmonic_range", "")}')
DTYPES = [torch.float32, torch.float64]


@pytest.mark.parametrize('dtype', DTYPES)
@pytest.mark.parametrize('degrees', [0, 30, 89.9])
def test_weights_are_one_without_conflict(harmonizer, degrees, dtype):
    gramian = gramian_of(pair_at_angle(degrees, norm_ratio=7, dtype=dtype))
    weights = harmonizer(gramian)
    assert weights.dtype == dtype
    assert weights.tolist() == [1, 1]


def test_weights_are_one_on_every_acute_gramian(harmonizer):
    acute = [g for g in random_gramians(500) if g[0, 1] >= 0]
    assert len(acute) > 100
    assert all(harmonizer(g).tolist() == [1, 1] for g in acute)


def test_weights_differ_from_one_on_every_obtuse_gramian(harmonizer):
    obtuse = [g for g in random_gramians(500) if g[0, 1] < 0]
    assert len(obtuse) > 100
    assert all(harmonizer(g).tolist() != [1, 1] for g in obtuse)


@pytest.mark.parametrize('dtype', DTYPES)
@pytest.mark.parametrize('scale', [1e-10, 1e-5, 1e5, 1e10])
def test_scale_of_the_losses_does_not_matter(harmonizer, scale, dtype):
    gradients = pair_at_angle(130, norm_ratio=3, dtype=dtype)
    scaled = harmonizer(gramian_of(gradients * scale))
    torch.testing.assert_close(
        scaled, harmonizer(gramian_of(gradients)), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize('dtype', DTYPES)
@pytest.mark.parametrize('norm_ratio', [1e-3, 1, 1e3])
def test_finite_for_antiparallel_gradients(harmonizer, norm_ratio, dtype):
    gradients = pair_at_angle(180, norm_ratio, dtype)
    gramian = gramian_of(gradients)
    gramian[0, 1] *= 1 + 1e-6  # rounding may push the cosine below -1
    gramian[1, 0] *= 1 + 1e-6
    assert harmonizer(gramian).isfinite().all()


@pytest.mark.parametrize('dtype', DTYPES)
@pytest.mark.parametrize('gramian', [
    [[0, 0], [0, 0]],
    [[0, 0], [0, 2]],
    [[2, 0], [0, 0]],
    # The first norm underflowed; the product did not.
    [[0, -1e-30], [-1e-30, 1]],
    [[float('nan'), -1], [-1, 2]],
    [[1, float('nan')], [float('nan'), 2]],
    [[float('inf'), float('-inf')], [float('-inf'), 2]],
    [[1, -1], [-1, float('inf')]],
])
def test_weights_are_one_where_no_angle_is_defined(harmonizer, gramian, dtype):
    weights = harmonizer(torch.tensor(gramian, dtype=dtype))
    assert weights.tolist() == [1, 1]


def test_no_gradient_flows_through_the_weights(harmonizer):
    gradients = pair_at_angle(120).requires_grad_()
    assert not harmonizer(gramian_of(gradients)).requires_grad


def test_wrong_shape_is_refused(harmonizer):
    with pytest.raises(ValueError, match=r'`gramian`.*\(2, 2\).*\(3, 3\)'):
        harmonizer(torch.eye(3))
