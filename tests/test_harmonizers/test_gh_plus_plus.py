"""GH++: an obtuse angle becomes a right angle."""
from __future__ import annotations

import math

import pytest
import torch

from mmgh.harmonizers import GHPlusPlus
from .gradient_pairs import gramian_of, pair_at_angle

ANGLES = [90.5, 110, 135, 160, 175]
RANGES = [0, 0.3, 0.5, 1]


def rotate(vector, towards, radians):
    """Rotate ``vector`` in the plane that it spans with ``towards``."""
    direction = vector / vector.norm()
    normal = towards - (towards @ direction) * direction
    normal = normal / normal.norm()
    return vector.norm() * (
        math.cos(radians) * direction + math.sin(radians) * normal)


@pytest.mark.parametrize('degrees', ANGLES)
@pytest.mark.parametrize('harmonic_range', RANGES)
@pytest.mark.parametrize('norm_ratio', [0.05, 1, 20])
def test_update_is_the_sum_of_two_rotated_gradients(degrees, harmonic_range,
                                                    norm_ratio):
    g1, g2 = gradients = pair_at_angle(degrees, norm_ratio)
    excess = math.radians(degrees - 90)
    h1 = rotate(g1, g2, harmonic_range * excess)
    h2 = rotate(g2, g1, (1 - harmonic_range) * excess)
    assert abs(h1 @ h2) / (h1.norm() * h2.norm()) < 1e-5
    torch.testing.assert_close(h1.norm(), g1.norm())
    torch.testing.assert_close(h2.norm(), g2.norm())
    weights = GHPlusPlus(harmonic_range)(gramian_of(gradients))
    torch.testing.assert_close(weights @ gradients, h1 + h2)


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
@pytest.mark.parametrize('degrees', ANGLES + [179, 180])
@pytest.mark.parametrize('norm_ratio', [0.05, 1, 20])
def test_norm_of_the_update_is_that_of_orthogonal_gradients(
        degrees, norm_ratio, dtype):
    gradients = pair_at_angle(degrees, norm_ratio, dtype)
    update = GHPlusPlus()(gramian_of(gradients)) @ gradients
    bound = gradients.norm()
    tolerance = 1e-4 if dtype == torch.float64 else 1e-2
    if degrees < 180:
        torch.testing.assert_close(
            update.norm(), bound, rtol=tolerance, atol=0)
    assert update.norm() <= bound * (1 + tolerance)


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
@pytest.mark.parametrize('degrees', [90.5, 100, 110, 120, 135])
@pytest.mark.parametrize('norm_ratio', [0.2, 1, 5])
def test_harmonized_gradients_are_orthogonal(degrees, norm_ratio, dtype):
    """They keep their norms, so ``|h1 + h2|^2`` tells their product."""
    gramian = gramian_of(pair_at_angle(degrees, norm_ratio))
    weights = GHPlusPlus()(gramian.to(dtype)).double()
    update = weights @ gramian @ weights
    product = (update - gramian.trace()) / 2
    assert abs(product) / gramian.diagonal().sqrt().prod() < 1e-5


@pytest.mark.parametrize('degrees', ANGLES)
def test_update_of_equally_long_gradients_conflicts_with_neither(degrees):
    gramian = gramian_of(pair_at_angle(degrees))
    progress = gramian @ GHPlusPlus()(gramian)
    assert (progress > 0).all()


@pytest.mark.parametrize('degrees, expected', [
    (120, (1.2611, 0.7389)),
    (135, (1.3902, 0.6098)),
    (150, (1.5176, 0.4824)),
    (180, (1.7654, 0.2346)),
])
def test_golden_values_of_the_published_form(degrees, expected):
    cosine = math.cos(math.radians(degrees))
    gramian = torch.tensor([[1, cosine], [cosine, 1]], dtype=torch.float64)
    weights = GHPlusPlus(form='published')(gramian)
    assert weights.tolist() == pytest.approx(expected, abs=5e-5)


def test_published_form_can_leave_a_conflict():
    """Why it is not the default; the rotation does not, see above."""
    gradients = pair_at_angle(135)
    update = GHPlusPlus(form='published')(gramian_of(gradients)) @ gradients
    cosine = update @ gradients[1] / (update.norm() * gradients[1].norm())
    assert cosine.item() == pytest.approx(-0.355, abs=1e-3)


@pytest.mark.parametrize('value', [-0.1, 1.1])
def test_harmonic_range_outside_its_bounds_is_refused(value):
    with pytest.raises(ValueError, match=r'`harmonic_range`.*\[0, 1\]'):
        GHPlusPlus(harmonic_range=value)


def test_unknown_form_is_refused():
    with pytest.raises(ValueError, match="`form`.*'published'.*'paper'"):
        GHPlusPlus(form='paper')
