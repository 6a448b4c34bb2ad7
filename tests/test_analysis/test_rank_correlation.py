"""Rank correlations of hand-made validations."""
from __future__ import annotations

import json
import warnings
from math import isnan, nan
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from mmgh.analysis.rank_correlation import (Validations, agreements,
                                            rank_correlation, read_validations)
from mmgh.input_error import InputError

LOWER = ('entropy', 'dev')


def make_run(oracle, **metrics) -> Validations:
    return Validations(
        np.array(oracle, dtype=float), {
            f'unsupervised/{name}': np.array(values, dtype=float)
            for name, values in metrics.items()
        })


def agreement(*runs: Validations, metric: str):
    return agreements(runs, LOWER)[f'unsupervised/{metric}']


def write_log(work_dir: Path, *lines: dict) -> Path:
    log = work_dir / '20260101' / 'vis_data' / 'scalars.json'
    log.parent.mkdir(parents=True)
    log.write_text('\n'.join(map(json.dumps, lines)))
    return work_dir


def test_correlation_is_scipys():
    random = np.random.RandomState(0)
    first, second = random.rand(2, 20)
    first[:5] = first[5:10]  # ties
    assert rank_correlation(first, second) == pytest.approx(
        stats.pearsonr(stats.rankdata(first), stats.rankdata(second))[0])


def test_positive_means_that_a_metric_is_right():
    run = make_run([10, 40, 20, 30], snd=[1, 4, 2, 3], entropy=[4, 1, 3, 2])
    for metric in ('snd', 'entropy'):
        found = agreement(run, metric=metric)
        assert found == (1, 1, [40], 40)
    wrong = make_run([10, 40, 20, 30], dev=[1, 4, 2, 3])
    assert agreement(wrong, metric='dev') == (-1, -1, [10], 10)


def test_within_runs_and_over_all_may_differ():
    """Each run is ranked well, but the worse run has the higher values."""
    runs = [make_run([10, 20, 30], snd=[7, 8, 9]),
            make_run([70, 80, 90], snd=[1, 2, 3])]
    found = agreement(*runs, metric='snd')
    assert found.within_runs == 1
    expected = stats.spearmanr([7, 8, 9, 1, 2, 3], [10, 20, 30, 70, 80, 90])
    assert found.over_all == pytest.approx(expected.statistic)
    assert found.chosen_within_runs == [30, 90]
    assert found.chosen_over_all == 30


def test_within_runs_is_the_mean_over_runs_where_it_is_defined():
    runs = [make_run([1, 2, 3], snd=[1, 2, 3]),
            make_run([1, 2, 3], snd=[1, 3, 2]),
            make_run([1, 2, 3], snd=[5, 5, 5]),
            make_run([1, 2, 3], entropy=[1, 2, 3])]
    found = agreement(*runs, metric='snd')
    assert found.within_runs == pytest.approx((1 + 0.5) / 2)
    # Of equal values the first counts, as for MMEngine's `save_best`.
    assert found.chosen_within_runs == [3, 2, 1]


@pytest.mark.parametrize('oracle, values', [
    ([1, 2, 3], [5, 5, 5]),
    ([4, 4, 4], [1, 2, 3]),
    ([7], [8]),
    ([1, 2, 3], [nan, 2, nan]),
    ([1, 2, 3], [nan, nan, nan]),
])
def test_what_is_constant_has_no_rank_and_no_warning(oracle, values):
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        found = agreement(make_run(oracle, snd=values), metric='snd')
    assert isnan(found.within_runs) and isnan(found.over_all)


def test_values_that_are_no_number_are_left_out():
    found = agreement(
        make_run([1, 2, 3, 90], entropy=[3, 2, 1, nan]), metric='entropy')
    assert found == (1, 1, [3], 3)


def test_log_is_read_in_order(tmp_path):
    write_log(
        tmp_path, {'step': 9, 'loss': 1.},
        {'step': 10, 'oracle/accuracy/top1': 60., 'unsupervised/snd': 3.,
         'oracle/recall': 1.},
        {'step': 5, 'oracle/accuracy/top1': 50., 'unsupervised/snd': 2.,
         'source/accuracy/top1': 99.})
    run = read_validations(tmp_path, 'oracle/accuracy/top1')
    assert run.oracle.tolist() == [50, 60]
    assert list(run.metrics) == ['unsupervised/snd', 'source/accuracy/top1']
    assert run.metrics['unsupervised/snd'].tolist() == [2, 3]
    source = run.metrics['source/accuracy/top1']
    assert source[0] == 99 and isnan(source[1])


@pytest.mark.parametrize('lines, message', [
    ([], 'should have logged `oracle/x`, but has no validation'),
    ([{'step': 1, 'accuracy/top1': 1.}], r"`oracle/x`.*\['accuracy/top1'\]"),
    ([{'step': 1, 'oracle/x': 1.}], 'metrics to compare.*UnsupervisedMetric'),
])
def test_runs_without_numbers_are_refused(tmp_path, lines, message):
    with pytest.raises(InputError, match=message):
        read_validations(write_log(tmp_path, *lines), 'oracle/x')
