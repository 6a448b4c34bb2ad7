"""Intervals of studies, and what they could have seen."""
from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest
from scipy import stats


@pytest.fixture(scope='module')
def comparison(load_tool):
    return import_module('studying.comparison')


def test_interval_is_students(comparison):
    """With the quantile 4.3027 of two degrees of freedom, from a table."""
    compare = comparison.compare
    half = 4.3027 / 3**0.5
    assert compare([[1., 2., 3.]]).interval == pytest.approx(
        (2, 2 - half, 2 + half), abs=1e-4)
    assert compare([[0., 0.]]).interval == (0, 0, 0)
    assert compare([[1.]]) is compare([[]]) is compare([]) is None
    assert compare([[1., 2.], [3.]]) is None


def test_equal_differences_tell_nothing_of_chance(comparison):
    """Those of few images often are."""
    for spread, tells in ((0., False), (1e-6, False), (0.1, True)):
        found = comparison.compare([[5. - spread, 5., 5. + spread]])
        assert found.excludes_zero is tells is not found.has_no_spread
    mixed = comparison.compare([[5., 5., 5.], [4., 5., 6.]])
    assert mixed.excludes_zero and not mixed.has_no_spread


def test_two_settings_are_compared_as_by_welch(comparison):
    """The mean of a and -b has the error of half their difference."""
    a, b = [1., 4., 2.5, 3.], [2., 9., 11.]
    found = comparison.compare([a, [-value for value in b]])
    for bound in found.interval[1:]:
        less = [value - 2 * bound for value in a]
        assert stats.ttest_ind(
            less, b, equal_var=False).pvalue == pytest.approx(0.05)
    assert found.interval[1] < found.interval[2]


@pytest.mark.parametrize('freedom', [2, 3, 4.5, 9, 50])
def test_needed_effect_is_that_of_the_noncentral_t(comparison, freedom):
    effect = comparison.needed(freedom)
    power = stats.nct.sf(stats.t.ppf(0.975, freedom), freedom, effect)
    assert power == pytest.approx(0.8, abs=1e-4)


@pytest.mark.parametrize('spreads, seeds', [
    ([2.], 2), ([2.], 5), ([1., 1., 4.], 4), ([1.] * 6, 10)])
def test_intervals_in_simulated_studies(comparison, spreads, seeds):
    """19 of 20 exclude no effect where there is none, and four of five find
    the smallest effect that so many seeds are said to find."""
    generator = np.random.default_rng(0)
    noise = generator.normal(size=(2000, len(spreads), seeds))
    noise *= np.array(spreads)[:, None]

    def found(effect: float) -> float:
        return np.mean([
            comparison.compare(groups).excludes_zero
            for groups in (noise + effect).tolist()])

    error, freedom = comparison.error_of_mean(spreads, [seeds] * len(spreads))
    assert found(0.) == pytest.approx(0.05, abs=0.015)
    assert found(comparison.needed(freedom) * error) == pytest.approx(
        0.8, abs=0.04)


@pytest.mark.parametrize('spreads', [[1.5], [2., 3.], [0.1]])
@pytest.mark.parametrize('effect', [0.4, 1., 3.])
def test_seeds_are_the_fewest_that_do(comparison, spreads, effect):

    def smallest(seeds: int) -> float:
        error, freedom = comparison.error_of_mean(
            spreads, [seeds] * len(spreads))
        return comparison.needed(freedom) * error

    seeds = comparison.seeds_for(effect, spreads)
    assert smallest(seeds) <= effect
    assert seeds == 2 or smallest(seeds - 1) > effect


def test_seeds_for_a_spread_that_is_known(comparison):
    """By the normal distribution."""
    assert comparison.seeds_for(0.1, [3.]) == pytest.approx(
        (2.8016 * 3 / 0.1)**2, rel=0.001)
