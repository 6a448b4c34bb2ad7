"""Plots and numbers of tools/analysis/conflict.py."""
from __future__ import annotations

import csv
from functools import partial

import pytest

from ..short_runs import logged, read
from .conftest import assert_picture


@pytest.fixture(scope='module')
def conflict(tools):
    """``conflict(*args)`` runs the tool."""
    return partial(tools, 'analysis/conflict')


def lines(path) -> list[dict]:
    with open(path, newline='') as file:
        return list(csv.DictReader(file))


def test_each_phase_has_a_line(conflict, harmonized, tmp_path):
    conflict(harmonized, '--out', tmp_path / 'a.png', '--phases', 3)
    assert_picture(tmp_path / 'a.png')
    checkpoint = read(harmonized / 'iter_6.pth')
    angles = logged(checkpoint, 'angle')
    for i, line in enumerate(lines(tmp_path / 'a.csv')):
        part = slice(2 * i, 2 * i + 2)
        expected = {
            'phase': i + 1,
            'after iteration': 2 * i,
            'to iteration': 2 * i + 2,
            'comparisons': 2,
            'conflict rate (%)': 50 * sum(a > 90 for a in angles[part]),
            'mean angle (degrees)': sum(angles[part]) / 2,
        }
        for number, task in enumerate(('alignment', 'cls'), start=1):
            assert line[f'task {number}'] == task
            weights = logged(checkpoint, f'weight_{task}')[part]
            expected[f'mean weight {number}'] = sum(weights) / 2
            expected[f'max weight {number}'] = max(weights)
        assert line['run'] == 'dann-ghpp'
        assert {name: float(line[name]) for name in expected
                } == pytest.approx(expected)
    assert i == 2


def test_runs_and_phases_without_comparisons(conflict, harmonized, changed,
                                             tmp_path):
    def accumulate(content, cfg):
        scalars = content['message_hub']['log_scalars']
        for name in list(scalars):
            if 'angle' in name or 'conflict' in name or 'weight' in name:
                values, counts = scalars[name].data
                scalars[name]._log_history = values[1::2]
                scalars[name]._count_history = counts[1::2]

    sparse = changed(harmonized, 'sparse', accumulate)
    conflict(harmonized, sparse, '--out', tmp_path / 'a.png', '--phases', 6)
    dense = lines(tmp_path / 'a.csv')[:6]
    half = lines(tmp_path / 'a.csv')[6:]
    assert [line['comparisons'] for line in half] == ['0', '1'] * 3
    assert half[0]['mean angle (degrees)'] == ''
    for i in (1, 3, 5):
        assert half[i]['mean angle (degrees)'] == dense[i][
            'mean angle (degrees)']


def test_run_that_was_not_harmonized_is_refused(conflict, source_only):
    with pytest.raises(SystemExit, match='source-only should be a harmonized '
                       'run.*without GHOptimWrapper'):
        conflict(source_only)


def test_too_many_phases_are_refused(conflict, harmonized, tmp_path):
    message = 'dann-ghpp: `phases` .* 6 iterations, but got 7'
    with pytest.raises(SystemExit, match=message):
        conflict(harmonized, '--phases', 7, '--out', tmp_path / 'a.png')
    assert not (tmp_path / 'a.png').exists()


def test_wrong_run_is_refused(conflict, wrong_run):
    path, message = wrong_run
    with pytest.raises(SystemExit, match=message):
        conflict(path)


@pytest.mark.parametrize('option, value, message', [
    ('--phases', '0', 'at least 1'),
    ('--out', 'plot.csv', 'end in .png, .pdf, .svg'),
])
def test_wrong_option_is_refused(conflict, harmonized, capsys, option, value,
                                 message):
    with pytest.raises(SystemExit):
        conflict(harmonized, option, value)
    error = capsys.readouterr().err.splitlines()[-1]
    assert option in error and message in error and repr(value) in error
