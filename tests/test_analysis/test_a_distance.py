"""Proxy A-distance."""
from __future__ import annotations

import numpy as np
import pytest

from mmgh.analysis.a_distance import a_distance, domain_error


def normal(seed: int, count: int = 200, shift: float = 0) -> np.ndarray:
    return np.random.RandomState(seed).normal(size=(count, 5)) + shift


@pytest.mark.parametrize('error, distance', [(0, 2), (0.25, 1), (0.5, 0),
                                             (0.6, 0)])
def test_distance_is_clipped_at_zero(error, distance):
    assert a_distance(error) == distance


def test_separable_domains_are_told_apart_without_error():
    assert domain_error(normal(0), normal(1, shift=20)) == 0


def test_domains_of_one_distribution_are_not_told_apart():
    assert a_distance(domain_error(normal(0, 1000), normal(1, 1000))) < 0.2


def test_error_is_of_held_out_images():
    """With more features than images, training images are told apart."""
    random = np.random.RandomState(0)
    source, target = random.normal(size=(2, 40, 500))
    assert domain_error(source, target) > 0.25


def test_scale_of_a_feature_does_not_matter():
    source, target = normal(0), normal(1, shift=0.3)
    scale = 10.**np.arange(-4, 6, 2)
    assert domain_error(source * scale, target * scale) == pytest.approx(
        domain_error(source, target), abs=0.01)


def test_same_seed_gives_the_same_error():
    source, target = normal(0), normal(1, shift=0.3)
    assert domain_error(source, target, 3) == domain_error(source, target, 3)


@pytest.mark.parametrize('counts, message', [
    ((10, 9), 'as many images, but got 10 and 9'),
    ((4, 4), 'at least 5 images, but got 4'),
])
def test_sizes_that_give_no_answer_are_refused(counts, message):
    with pytest.raises(ValueError, match=message):
        domain_error(*(normal(i, count) for i, count in enumerate(counts)))
