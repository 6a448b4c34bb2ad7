"""The table and the plot of tools/analysis/compare_runs.py."""
from __future__ import annotations

import csv
import json
from functools import partial
from pathlib import Path

import pytest
import torch
from mmengine.logging import HistoryBuffer


@pytest.fixture(scope='module')
def compare(tools):
    """``compare(*args)`` runs the tool."""
    return partial(tools, 'analysis/compare_runs')


def make_run(work_dir: Path, accuracies: list[float], **history) -> Path:
    """A work directory as MMEngine leaves it; it was resumed once."""
    scalars = {}
    for name, values in dict(history, time=[0.5] * 4).items():
        scalars[f'train/{name}'] = HistoryBuffer()
        for value in values:
            scalars[f'train/{name}'].update(value)
    work_dir.mkdir(parents=True)
    torch.save(
        dict(
            meta=dict(cfg='', iter=len(accuracies)),
            state_dict={},
            message_hub=dict(log_scalars=scalars)), work_dir / 'iter_4.pth')
    (work_dir / 'last_checkpoint').write_text('/elsewhere/iter_4.pth')
    for start in (0, 2):
        log = work_dir / f'2026010{start}' / 'vis_data' / 'scalars.json'
        log.parent.mkdir(parents=True)
        log.write_text('\n'.join(
            json.dumps({'accuracy/top1': value, 'step': step})
            for step, value in enumerate(accuracies[:start + 3], start=1)))
    return work_dir


def test_table_has_the_last_accuracy_and_means_over_iterations(
        compare, tmp_path, capsys):
    plain = make_run(tmp_path / 'dann', [10, 20, 70])
    harmonized = make_run(
        tmp_path / 'dann-gh', [10, 90, 80],
        conflict=[1, 0, 1, 1],
        angle=[100, 80, 100, 140])
    compare(plain, harmonized, '--out', tmp_path / 'plot.png')
    rows = [[cell.strip() for cell in line.split('|')[1:-1]]
            for line in capsys.readouterr().out.splitlines()
            if line.startswith('|')]
    assert rows[2:] == [
        ['dann', '1', '70.0', '-', '70.0', '-', '-', '2.0'],
        ['dann-gh', '1', '80.0', '-', '90.0', '75.0', '105.0', '2.0']
    ]
    assert (tmp_path / 'plot.png').read_bytes().startswith(b'\x89PNG')


def test_each_run_has_a_line_of_the_csv(compare, tmp_path):
    runs = [
        make_run(tmp_path / '0' / 'dann', [10, 20, 70]),
        make_run(tmp_path / '1' / 'dann', [10, 90, 80],
                 conflict=[1, 0, 1, 1], angle=[100, 80, 100, 140]),
    ]
    compare(*runs, '--out', tmp_path / 'plot.png')
    with open(tmp_path / 'plot.csv', newline='') as file:
        header, *lines = csv.reader(file)
    assert len(header) == 8
    assert lines == [
        ['0/dann', 'dann', '70', '', '70', '', '', '2.0'],
        ['1/dann', 'dann', '80', '', '90', '75.0', '105.0', '2.0']
    ]


def test_older_accuracy_is_not_shown_as_the_last_one(
        compare, tmp_path, capsys):
    """The run was stopped before its last validation."""
    run = make_run(tmp_path / 'dann', [10, 20])
    checkpoint = torch.load(run / 'iter_4.pth')
    checkpoint['meta']['iter'] = 4
    torch.save(checkpoint, run / 'iter_4.pth')
    compare(run, '--out', tmp_path / 'plot.png')
    printed = capsys.readouterr().out
    row = printed.splitlines()[2].split('|')
    assert [cell.strip() for cell in row[3:6]] == ['-', '-', '20.0']
    assert 'dann: its last checkpoint, of iteration 4, was not' in printed
    with open(tmp_path / 'plot.csv', newline='') as file:
        assert list(csv.reader(file))[1][2:5] == ['', '', '20']


def test_another_metric_may_be_compared(compare, tmp_path, capsys):
    run = make_run(tmp_path / 'dann', [50])
    for log in run.glob('*/vis_data/scalars.json'):
        log.write_text(json.dumps({'mine': 12, 'accuracy/top1': 50,
                                   'step': 1}))
    compare(run, '--out', tmp_path / 'plot.png', '--metric', 'mine')
    assert '| 12.0 ' in capsys.readouterr().out
    with pytest.raises(SystemExit, match='should have logged `yours`'):
        compare(run, '--metric', 'yours')


def test_runs_of_one_name_are_summarised(compare, tmp_path, capsys):
    runs = [make_run(tmp_path / str(seed) / 'dann', [value])
            for seed, value in enumerate((60, 62, 64))]
    compare(*runs, '--out', tmp_path / 'plot.png')
    assert '| 3    | 62.0 ± 2.0 ' in capsys.readouterr().out


@pytest.mark.parametrize('breakage, message', [
    (lambda run: (run / 'iter_4.pth').unlink(), 'no `last_checkpoint`'),
    (lambda run: [p.unlink() for p in run.glob('*/vis_data/*.json')],
     'should have logged `accuracy/top1`, but no valid.*See --metric'),
])
def test_incomplete_run_is_refused(compare, tmp_path, breakage, message):
    run = make_run(tmp_path / 'dann', [50])
    breakage(run)
    with pytest.raises(SystemExit, match=f'{run}.*{message}'):
        compare(run)


def test_runs_of_two_studies_are_no_seeds_of_one(compare, tmp_path, capsys):
    paths = []
    for study, accuracy in (('first', 20), ('second', 80)):
        path = make_run(tmp_path / study / 'A_-_B/DANN/none/0', [accuracy] * 3)
        (path / 'run.json').write_text(json.dumps(
            dict(pair='A -> B', method='DANN', harmonizer='none')))
        paths.append(path)
    compare(*paths, '--out', tmp_path / 'plot.png')
    rows = [[cell.strip() for cell in line.split('|')[1:4]]
            for line in capsys.readouterr().out.splitlines()
            if line.startswith('|')]
    assert rows[2:] == [['first: A -> B, DANN, none', '1', '20.0'],
                        ['second: A -> B, DANN, none', '1', '80.0']]
    with open(tmp_path / 'plot.csv', newline='') as file:
        assert [line['setting'] for line in csv.DictReader(file)] == [
            row[0] for row in rows[2:]]
