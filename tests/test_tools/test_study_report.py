"""Table and plots of tools/analysis/study_report.py, from a CSV alone."""
from __future__ import annotations

import csv
from pathlib import Path

import pytest
from matplotlib import image
from scipy import stats

FIELDS = ('pair', 'method', 'harmonizer', 'seed', 'baseline', 'accuracy',
          'conflict', 'angle')
PLAIN = {0: 50., 1: 60., 2: 61., 3: 40.}
HARMONIZED = {0: 52., 1: 61., 2: 66., 9: 99.}


def write(path: Path) -> Path:
    rows = [('A -> B', 'DANN', 'none', seed, 'none', value, '', '')
            for seed, value in PLAIN.items()]
    rows += [('A -> B', 'DANN', 'GH', seed, 'none', value, 0.5, 95.)
             for seed, value in HARMONIZED.items()]
    rows += [('B -> A', 'DANN', 'none', 0, 'none', 70., '', ''),
             ('B -> A', 'DANN', 'GH', 0, 'none', 69., 0.5, 95.),
             ('B -> A', 'MCD', 'none', 0, 'none', 30., '', '')]
    with open(path, 'w', newline='') as file:
        csv.writer(file).writerows([FIELDS, *rows])
    return path


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.split('|')[1:-1]]


def test_table_pairs_the_seeds(tools, tmp_path):
    """Mean and interval of the difference are those of a paired t test."""
    tools('analysis/study_report', write(tmp_path / 'study.csv'))
    lines = (tmp_path / 'study.md').read_text().splitlines()
    tables = [cells(line) for line in lines if line.startswith('| ')]
    plain, harmonized = tables[2], tables[3]
    assert plain == [
        'DANN', 'none', '4', '52.8 ± 9.8', '-', '-', '-', '-'
    ]
    common = [0, 1, 2]
    test = stats.ttest_rel([HARMONIZED[seed] for seed in common],
                           [PLAIN[seed] for seed in common])
    low, high = test.confidence_interval(0.95)
    assert harmonized == [
        'DANN', 'GH', '4', '69.5 ± 20.5', '+2.7', f'{low:+.1f} to {high:+.1f}',
        '50.0 ± 0.0', '95.0 ± 0.0'
    ]
    assert lines.index('**B -> A**, last iteration') > 3
    assert [row[:2] for row in tables[6:9]] == [['DANN', 'none'],
                                                ['DANN', 'GH'],
                                                ['MCD', 'none']]


def test_pairs_count_alike_over_all(tools, tmp_path):
    """However many seeds they have."""
    tools('analysis/study_report', write(tmp_path / 'study.csv'))
    last = (tmp_path / 'study.md').read_text().splitlines()[-1]
    changes = [sum(HARMONIZED[s] - PLAIN[s] for s in (0, 1, 2)) / 3, -1.]
    low, high = stats.ttest_1samp(changes, 0).confidence_interval(0.95)
    assert cells(last) == [
        'GH', '2', '4', f'{sum(changes) / 2:+.1f}',
        f'{low:+.1f} to {high:+.1f}', '1', '-1.0', '+2.7'
    ]


def test_plots_show_something(tools, tmp_path):
    tools('analysis/study_report', write(tmp_path / 'study.csv'), '--out',
          tmp_path / 'new')
    assert not (tmp_path / 'study.md').exists()
    for name in ('accuracies.png', 'differences.png'):
        picture = image.imread(tmp_path / 'new' / name)[..., :3]
        assert picture.shape[0] > 100 and picture.std() > 0.01


def test_missing_table_is_an_error(tools, tmp_path):
    with pytest.raises(SystemExit, match='There is no .*study.csv'):
        tools('analysis/study_report', tmp_path / 'study.csv')


@pytest.mark.parametrize('content, message', [
    (','.join(FIELDS), 'has no runs'), ('a,b', "no table.*'pair'")])
def test_other_tables_are_refused(tools, tmp_path, content, message):
    (tmp_path / 'study.csv').write_text(content)
    with pytest.raises(SystemExit, match=message):
        tools('analysis/study_report', tmp_path / 'study.csv')


def test_interval_is_students(load_tool):
    """With the quantile 4.3027 of two degrees of freedom, from a table."""
    interval = load_tool('studying/results').interval
    found = interval([1., 2., 3.])
    half = 4.3027 / 3**0.5
    assert found == pytest.approx((2, 2 - half, 2 + half), abs=1e-4)
    assert interval([0., 0.]) == (0, 0, 0)
    assert interval([1.]) is interval([]) is None
