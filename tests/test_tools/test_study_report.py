"""Table and plots of tools/analysis/study_report.py, from a CSV alone."""
from __future__ import annotations

import csv
from importlib import import_module
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


def tables(folder: Path) -> list[dict[str, str]]:
    """The lines of all tables, by the names of their columns."""
    lines = (folder / 'study.md').read_text().splitlines()
    rows = [cells(line) for line in lines if line.startswith('| ')]
    rules = [i for i, row in enumerate(rows) if set(row[0]) == {'-'}]
    return [dict(zip(rows[rule - 1], row))
            for rule, end in zip(rules, [*rules[1:], len(rows) + 1])
            for row in rows[rule + 1:end - 1]]


def test_table_pairs_the_seeds(tools, tmp_path):
    """Mean and interval of the difference are those of a paired t test."""
    tools('analysis/study_report', write(tmp_path / 'study.csv'))
    plain, harmonized, *others = tables(tmp_path)
    assert list(plain.values())[:5] == [
        'DANN', 'none', '4', '52.8 ± 9.8', '-'
    ]
    assert set(list(plain.values())[5:]) == {'-'}
    common = [0, 1, 2]
    test = stats.ttest_rel([HARMONIZED[seed] for seed in common],
                           [PLAIN[seed] for seed in common])
    low, high = test.confidence_interval(0.95)
    interval = f'{low:+.1f} to {high:+.1f}'
    assert list(harmonized.values())[:6] == [
        'DANN', 'GH', '4', '69.5 ± 20.5', '+2.7', interval
    ]
    assert list(harmonized.values())[-2:] == ['50.0 ± 0.0', '95.0 ± 0.0']
    assert [(row['method'], row['harmonizer']) for row in others
            if {'method', 'harmonizer'} <= set(row)] == [
                ('DANN', 'none'), ('DANN', 'GH'), ('MCD', 'none')]
    lines = (tmp_path / 'study.md').read_text().splitlines()
    assert lines.index('**B -> A**, last iteration') > 3


def test_pairs_count_alike_over_all(tools, tmp_path):
    """However many seeds they have. Of one seed no spread is known."""
    tools('analysis/study_report', write(tmp_path / 'study.csv'))
    last = tables(tmp_path)[-1]
    changes = [sum(HARMONIZED[s] - PLAIN[s] for s in (0, 1, 2)) / 3, -1.]
    assert list(last.values())[:5] == [
        'GH', '2', '4', f'{sum(changes) / 2:+.1f}', '-'
    ]
    assert list(last.values())[-3:] == ['1', '-1.0', '+2.7']


def test_methods_are_compared_over_the_pairs_that_are_whole(tools, tmp_path):
    values = {
        ('A -> B', 'DANN', 'none'): [50., 52., 57.],
        ('A -> B', 'DANN', 'GH'): [51., 55., 58.],
        ('A -> B', 'DANN', 'null'): [50., 53., 56.],
        ('B -> A', 'DANN', 'none'): [30., 34.],
        ('B -> A', 'DANN', 'GH'): [30., 33.],
        ('B -> A', 'DANN', 'null'): [31., 33.],
        ('B -> C', 'DANN', 'none'): [90., 90.],
        ('B -> C', 'DANN', 'GH'): [10., 10.],
        ('A -> B', 'MDD', 'none'): [60., 61.],
    }
    path = tmp_path / 'study.csv'
    with open(path, 'w', newline='') as file:
        csv.writer(file).writerows([FIELDS, *(
            (*key, seed, 'none', value, '', '')
            for key, accuracies in values.items()
            for seed, value in enumerate(accuracies))])
    tools('analysis/study_report', path)
    dann, mdd = (row for row in tables(tmp_path)
                 if 'GH' in row and 'pairs' in row)
    assert dann['method'] == 'DANN' and dann['pairs'] == '2'
    assert dann['seeds'] == '2 to 3' and dann['none'] == '42.5'
    assert dann['GH'].startswith('+0.6 (')  # of +5/3 and -1/2
    assert dann['null'].startswith('+0.0 (')
    assert list(mdd.values()) == ['MDD', '1', '2', '60.5', '-', '-']


def write_seeds(path: Path, **accuracies: list[float]) -> Path:
    """Of one pair and method: the accuracies of each harmonizer by seed."""
    with open(path, 'w', newline='') as file:
        csv.writer(file).writerows([FIELDS, *(
            ('A -> B', 'DANN', name, seed, 'none', value, '', '')
            for name, values in accuracies.items()
            for seed, value in enumerate(values))])
    return path


NONE = [50., 51., 50.5, 49.5]


@pytest.mark.parametrize('null, found, verdict', [
    (NONE, [50.1, 50.8, 50.6, 49.6], 'no difference beyond chance'),
    (NONE, [53., 54.1, 53.4, 52.6], 'better than the baseline and than the '
     'null'),
    (NONE, [47., 48.1, 47.4, 46.6], 'worse than the baseline and than the '
     'null'),
    ([53.1, 52., 54.8, 51.], [53., 54.1, 53.4, 52.6],
     'better than the baseline, but not than the null'),
    (None, [53., 54.1, 53.4, 52.6],
     'better than the baseline; no null to compare with'),
])
def test_verdict(tools, tmp_path, null, found, verdict):
    rows = dict(none=NONE, **({'null': null} if null else {}), GH=found)
    tools('analysis/study_report', write_seeds(tmp_path / 'study.csv', **rows))
    of_pair = [row for row in tables(tmp_path) if row.get('method') == 'DANN']
    overall = tables(tmp_path)[-1]
    assert of_pair[-1]['verdict'] == overall['verdict'] == verdict
    for row in (of_pair[-1], overall):
        assert (row['null'] == '-') == (null is None)


def test_intervals_that_exclude_zero_are_counted(tools, tmp_path):
    tools('analysis/study_report', write_seeds(
        tmp_path / 'study.csv', none=NONE, null=[50., 51.1, 50.2, 49.8],
        GH=[53., 54.1, 53.4, 52.6], other=NONE[::-1]))
    assert ('1 of the 2 intervals above exclude 0, by chance alone 0.1 would; '
            '0 of the 1 of the null exclude 0, by chance alone 0.1 would.'
            ) in (tmp_path / 'study.md').read_text()


def test_plots_show_something(tools, tmp_path):
    tools('analysis/study_report', write(tmp_path / 'study.csv'), '--out',
          tmp_path / 'new')
    assert not (tmp_path / 'study.md').exists()
    for name in ('accuracies.png', 'differences.png'):
        picture = image.imread(tmp_path / 'new' / name)[..., :3]
        assert picture.shape[0] > 100 and picture.std() > 0.01


def write_strengths(path: Path) -> Path:
    """Two pairs; the second one lacks a run of MDD. DANN itself is there
    without a strength."""
    rows = [
        (pair, f'{of} x{strength}', name, seed, 'none',
         80 - 10 * strength * (name == 'none') + seed, '', '', of, strength)
        for pair in ('A -> B', 'B -> A') for of in ('DANN', 'MDD')
        for strength in (10, 0.3, 1) for name in ('none', 'RelativeClip')
        for seed in range(3)
        if (pair, of, strength) != ('B -> A', 'MDD', 10)]
    rows = [(row[0], 'DANN', *row[2:-2], '', '')
            if row[-2:] == ('DANN', 1) else row for row in rows]
    rows.append(('A -> B', 'JAN', 'none', 0, 'none', 50., '', '', '', ''))
    with open(path, 'w', newline='') as file:
        csv.writer(file).writerows([(*FIELDS, 'of', 'strength'), *rows])
    return path


def test_robustness_is_drawn_where_there_are_strengths(tools, tmp_path):
    tools('analysis/study_report', write_strengths(tmp_path / 'study.csv'))
    picture = image.imread(tmp_path / 'robustness.png')[..., :3]
    assert picture.shape[0] > 100 and picture.std() > 0.01
    tools('analysis/study_report', write(tmp_path / 'study.csv'))
    assert not (tmp_path / 'robustness.png').exists()


def test_robustness_is_that_of_pairs_with_all_points(load_tool, tmp_path):
    robustness = import_module('studying.robustness').robustness
    results = import_module('studying.results')
    panels = robustness(results.settings_of(results.read_runs(
        write_strengths(tmp_path / 'study.csv'))))
    assert list(panels) == ['DANN, mean of 2 pairs', 'MDD, A -> B']
    for curves in panels.values():
        assert list(curves) == ['none', 'RelativeClip']
        assert curves['none'].strengths == [0.3, 1, 10]
        assert curves['none'].means == pytest.approx((78, 71, -19))
        assert curves['RelativeClip'].means == pytest.approx((81, 81, 81))
    low, high = stats.ttest_1samp([80, 81, 82], 81).confidence_interval(0.95)
    clipped = panels['MDD, A -> B']['RelativeClip']
    assert clipped.lows[0] == pytest.approx(low)
    assert clipped.highs[2] == pytest.approx(high)


def test_robustness_is_that_of_seeds_of_all_harmonizers(load_tool, tmp_path):
    drawn = import_module('studying.robustness').robustness
    results = import_module('studying.results')
    table = write_strengths(tmp_path / 'study.csv')
    before = drawn(results.settings_of(results.read_runs(table)))
    with open(table, 'a', newline='') as file:
        csv.writer(file).writerow(
            ('A -> B', 'DANN x10', 'none', 3, 'none', 99., '', '', 'DANN', 10))
    assert drawn(results.settings_of(results.read_runs(table))) == before


def test_missing_table_is_an_error(tools, tmp_path):
    with pytest.raises(SystemExit, match='There is no .*study.csv'):
        tools('analysis/study_report', tmp_path / 'study.csv')


@pytest.mark.parametrize('content, message', [
    (','.join(FIELDS), 'has no runs'), ('a,b', "no table.*'pair'")])
def test_other_tables_are_refused(tools, tmp_path, content, message):
    (tmp_path / 'study.csv').write_text(content)
    with pytest.raises(SystemExit, match=message):
        tools('analysis/study_report', tmp_path / 'study.csv')


@pytest.mark.parametrize('metric, named', [
    ('accuracy/top1', 'accuracy (%)'),
    ('oracle/accuracy/mean_class', 'accuracy (%)'),
    ('single-label/f1-score', 'F1 score (%)'),
    ('oracle/single-label/recall', 'recall (%)'),
    ('multi-label/mAP', 'mAP (%)'),
    ('unsupervised/mutual_information',
     'mutual information (% of the most)'),
])
def test_the_table_names_the_metric(metric, named, tools, tmp_path):
    path = write(tmp_path / 'study.csv')
    with open(path, newline='') as file:
        rows = [dict(row, metric=metric) for row in csv.DictReader(file)]
    with open(path, 'w', newline='') as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    tools('analysis/study_report', path)
    assert f'| {named} |' in (tmp_path / 'study.md').read_text()


@pytest.mark.parametrize('line, message', [
    (','.join(FIELDS), 'should be a run, but is the header of another table'),
    ('A,DANN,GH,x,none,70,,', "a whole number as `seed`, but has 'x'"),
    ('A,DANN,GH,1.5,none,70,,', "a whole number as `seed`, but has '1.5'"),
    ('A,DANN,GH,1,none,,,', "a number as `accuracy`, but has ''"),
    ('A,DANN,GH,1,none', 'a number as `accuracy`, but has None'),
    ('A,DANN,GH,1,none,70,much,', "a number as `conflict`, but has 'much'"),
])
def test_a_line_that_is_no_run_is_named(tools, tmp_path, line, message):
    path = write(tmp_path / 'study.csv')
    tools('analysis/study_report', path)
    with open(path, 'a') as file:
        number = 2 + len(path.read_text().splitlines())
        file.write(f'A,DANN,none,0,none,70,,\n{line}\n')
    with pytest.raises(SystemExit, match=f'{path}, line {number},.*{message}'):
        tools('analysis/study_report', path)
