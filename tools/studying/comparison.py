"""How sure a difference of accuracies is, and how small a one could be seen.

Differences are those of single seeds: harmonized minus baseline. That is valid
whether or not a seed makes two trainings alike. (On digits it does: the
differences have 0.6 times the variance of those of different seeds. On
features of a pretrained network it does not, where two trainings part at the
first rounding. Intervals that do not pair the seeds gain little there, 8 %
with ten seeds, and would be wrong if seeds made trainings unlike.)
"""
from __future__ import annotations

import math
import statistics
from functools import cache
from itertools import count
from typing import NamedTuple, Sequence

import numpy as np
from scipy import optimize, stats

LEVEL = 0.05
POWER = 0.8
# Of accuracies in float32, in points.
ROUNDING = 1e-4
# Degrees of freedom with which a spread is as good as known.
MANY = 1e6


class Interval(NamedTuple):
    """A mean and its 95 % confidence interval, by Student's t."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f'{self.low:+.1f} to {self.high:+.1f}'


class Comparison(NamedTuple):
    """A mean difference in points, and what is known of its error."""

    mean: float
    error: float
    """Standard error of the mean."""
    freedom: float
    """Degrees of freedom of the standard error."""

    def __str__(self) -> str:
        return f'{self.mean:+.1f} ({self.interval})'

    @property
    def interval(self) -> Interval:
        half = critical(self.freedom) * self.error
        return Interval(self.mean, self.mean - half, self.mean + half)

    @property
    def excludes_zero(self) -> bool:
        return not self.has_no_spread and (self.interval.low > 0
                                           or self.interval.high < 0)

    @property
    def has_no_spread(self) -> bool:
        """Whether all differences were the same, as they may be of a few
        images: that does not tell what chance would do."""
        return self.error < ROUNDING

    @property
    def detectable(self) -> float:
        """The smallest effect that such a comparison finds (excludes zero)
        in four of five repetitions."""
        return needed(self.freedom) * self.error


def compare(groups: Sequence[Sequence[float]]) -> Comparison | None:
    """Average differences over settings, each of which counts alike.

    Differences are taken as independent, of one spread in each setting, and
    the degrees of freedom as by Welch and Satterthwaite. For one setting it
    is the paired t test. The error is that of the mean of these pairs and
    methods: it says nothing of others.

    Args:
        groups (Sequence[Sequence[float]]): Differences of each setting.

    Returns:
        Comparison | None: None if a setting has fewer than two of them.
    """
    if not groups or min(map(len, groups)) < 2:
        return None
    spreads = [statistics.stdev(group) for group in groups]
    return Comparison(
        statistics.mean(map(statistics.mean, groups)),
        *error_of_mean(spreads, list(map(len, groups))))


def error_of_mean(spreads: Sequence[float],
                  seeds: Sequence[int]) -> tuple[float, float]:
    """Return the standard error of a mean over settings, and its degrees of
    freedom.

    Args:
        spreads (Sequence[float]): Standard deviation in each setting.
        seeds (Sequence[int]): Their numbers.
    """
    parts = [spread**2 / n for spread, n in zip(spreads, seeds)]
    total = sum(parts)
    if not total:
        return 0., float(sum(seeds) - len(seeds))
    freedom = total**2 / sum(part**2 / (n - 1)
                             for part, n in zip(parts, seeds))
    return math.sqrt(total) / len(parts), freedom


def critical(freedom: float) -> float:
    """Return how many standard errors the interval is wide to each side."""
    return float(stats.t.ppf(1 - LEVEL / 2, freedom))


@cache
def needed(freedom: float) -> float:
    """Return how many standard errors an effect has to be, to be found with
    the wanted power: the noncentral t distribution, averaged over the spread
    that is estimated (scipy's own has no values for one degree)."""
    quantiles = (np.arange(10000) + 0.5) / 10000
    limits = critical(freedom) * np.sqrt(
        stats.chi2.ppf(quantiles, freedom) / freedom)

    def lacking(effect: float) -> float:
        found = stats.norm.sf(limits - effect) + stats.norm.cdf(-limits -
                                                                effect)
        return found.mean() - POWER

    return float(optimize.brentq(lacking, 0, 2 * critical(freedom)))


def seeds_for(effect: float, spreads: Sequence[float]) -> int:
    """Return the fewest seeds with which an effect is found with the wanted
    power.

    Args:
        effect (float): In points.
        spreads (Sequence[float]): Of the differences in each setting.
    """
    error_of_one = math.hypot(*spreads) / len(spreads)
    least = (needed(MANY) * error_of_one / effect)**2
    for seeds in count(max(2, math.floor(least))):
        error, freedom = error_of_mean(spreads, [seeds] * len(spreads))
        if needed(freedom) * error <= effect:
            return seeds
