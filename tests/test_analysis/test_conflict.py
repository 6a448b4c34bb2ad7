"""Pairs of tasks, phases and histograms of a logged history."""
from __future__ import annotations

import numpy as np
import pytest
import torch

from mmgh.analysis.conflict import (BIN_EDGES, PairHistory, angle_histogram,
                                    iterations_of, pairs_of, phases_of)
from mmgh.optim.logged_scalars import Compared, logged_scalars


def history(compared) -> dict[str, np.ndarray]:
    """As GHOptimWrapper logs it, of two iterations."""
    return {
        f'train/{name}': np.array([float(value)] * 2)
        for name, value in logged_scalars(compared).items()
    }


def group(*tasks: str, weights):
    gramian = torch.eye(len(tasks)) + torch.ones(len(tasks), len(tasks))
    return Compared(tasks, gramian, torch.tensor(weights))


def pair(angles, total, iterations=None) -> PairHistory:
    angles = np.array(angles, float)
    if iterations is None:
        iterations = iterations_of(len(angles), total)
    weights = np.arange(len(angles)) + 1.
    return PairHistory(('cls', 'alignment'), iterations,
                       (angles > 90).astype(float), angles,
                       dict(cls=weights, alignment=-weights), total, {})


@pytest.mark.parametrize('groups, expected', [
    ([group('cls', 'alignment', weights=[1., 2.])], {
        ('cls', 'alignment'): [1, 2]
    }),
    ([group('cls', 'alignment', weights=[1., 2.]),
      group('bridge_g', 'bridge_d', weights=[3., 4.])], {
          ('cls', 'alignment'): [1, 2],
          ('bridge_g', 'bridge_d'): [3, 4]
      }),
    ([group('cls', 'alignment', weights=[1., 2.]),
      group('cls', 'bridge', weights=[3., 4.])], {
          ('cls', 'alignment'): [1, 2],
          ('cls', 'bridge'): [3, 4]
      }),
    ([group('a', 'b_c', 'd', weights=[1., 2., 3.])], {
        ('a', 'b_c'): [1, 2],
        ('a', 'd'): [1, 3],
        ('b_c', 'd'): [2, 3]
    }),
    ([group('a', 'b', 'c_a_b', weights=[1., 2., 3.])], {
        ('a', 'b'): [1, 2],
        ('a', 'c_a_b'): [1, 3],
        ('b', 'c_a_b'): [2, 3]
    }),
])
def test_pairs_are_found_by_their_logged_names(groups, expected):
    pairs = pairs_of(history(groups), total=2)
    found = {
        pair.tasks: [pair.weights[task][0] for task in pair.tasks]
        for pair in pairs
    }
    assert found == expected
    for each in pairs:
        np.testing.assert_allclose(each.angles, 60)
        for task in each.tasks:
            np.testing.assert_allclose(each.norms[task], 2**0.5)
        assert each.conflicts.tolist() == [0, 0]


def test_history_without_angles_has_no_pairs():
    assert pairs_of({'train/loss': np.ones(3)}, total=3) == []


def test_other_scalars_of_the_user_are_no_pairs():
    compared = history([group('cls', 'alignment', weights=[1., 2.])])
    own = {f'train/{name}': np.ones(2)
           for name in ('angle_x', 'angle_y', 'conflict_y', 'anglers')}
    pairs = pairs_of({**own, **compared}, total=2)
    assert [pair.tasks for pair in pairs] == [('cls', 'alignment')]
    assert pairs_of(own, total=2) == []


@pytest.mark.parametrize('count, total, expected', [
    (4, 4, [1, 2, 3, 4]),
    (3, 6, [2, 4, 6]),
])
def test_values_stand_at_the_last_of_their_iterations(count, total, expected):
    assert iterations_of(count, total).tolist() == expected


def test_phases_equal_hand_computation():
    phases = phases_of(pair([80, 100, 120, 85, 60, 70], total=12), 3)
    assert [(p.start, p.end) for p in phases] == [(0, 4), (4, 8), (8, 12)]
    assert [p.comparisons for p in phases] == [2, 2, 2]
    assert [p.conflict_rate for p in phases] == [0.5, 0.5, 0]
    assert [p.angle for p in phases] == [90, 102.5, 65]
    assert [p.mean_weights['cls'] for p in phases] == [1.5, 3.5, 5.5]
    assert [p.max_weights['cls'] for p in phases] == [2, 4, 6]
    assert [p.max_weights['alignment'] for p in phases] == [-1, -3, -5]


@pytest.mark.parametrize('number', [1, 2, 7, 10, 100])
def test_each_comparison_is_in_one_phase(number):
    angles = np.random.RandomState(0).uniform(0, 180, 100)
    phases = phases_of(pair(angles, total=300), number)
    assert sum(p.comparisons for p in phases) == 100
    conflicts = sum(p.comparisons * p.conflict_rate for p in phases)
    np.testing.assert_allclose(conflicts, (angles > 90).sum())


def test_phase_without_comparisons_has_no_means():
    first, second, _ = phases_of(pair([100, 80], total=6), 3)
    assert (first.comparisons, second.comparisons) == (0, 1)
    assert all(np.isnan(value) for value in (
        first.angle, first.conflict_rate, *first.mean_weights.values(),
        *first.max_weights.values()))


@pytest.mark.parametrize('number', [0, 7])
def test_impossible_number_of_phases_is_refused(number):
    with pytest.raises(ValueError,
                       match=f'`phases` .* 6 iterations, but got {number}'):
        phases_of(pair([100, 80], total=6), number)


def test_histogram_counts_each_angle_once():
    angles = np.random.RandomState(0).uniform(0, 180, 1000)
    angles[:3] = 0, 90, 180
    counts = angle_histogram(angles)
    assert counts.sum() == 1000
    assert 90 in BIN_EDGES
    assert counts[:18].sum() == (angles < 90).sum()
