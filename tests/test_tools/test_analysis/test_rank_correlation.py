"""The table and the plot of tools/analysis/rank_correlation.py."""
from __future__ import annotations

import csv
import json
from functools import partial
from pathlib import Path

import pytest

ORACLE = 'oracle/accuracy/top1'


@pytest.fixture(scope='module')
def compare(tools):
    """``compare(*args)`` runs the tool."""
    return partial(tools, 'analysis/rank_correlation')


def make_run(work_dir: Path, oracle: list[float], name: str = ORACLE,
             **metrics: list[float]) -> Path:
    log = work_dir / '20260101' / 'vis_data' / 'scalars.json'
    log.parent.mkdir(parents=True)
    log.write_text('\n'.join(
        json.dumps({
            'step': i, name: value,
            **{f'unsupervised/{key}': v[i] for key, v in metrics.items()}
        }) for i, value in enumerate(oracle)))
    return work_dir


def cells(text: str) -> dict[str, list[str]]:
    lines = [[cell.strip() for cell in line.split('|')[1:-1]]
             for line in text.splitlines() if line.startswith('|')]
    return {line[0]: line[1:] for line in lines[2:]}


def test_table_and_files(compare, tmp_path, capsys):
    runs = [
        make_run(tmp_path / 'seed0/dann', [10, 50, 40],
                 entropy=[3, 2, 1], snd=[5, 5, 5]),
        make_run(tmp_path / 'seed1/dann', [20, 60, 70],
                 entropy=[9, 7, 0], snd=[5, 5, 5]),
    ]
    out = tmp_path / 'plots/ranks.png'
    compare(*runs, '--out', out)
    assert cells(capsys.readouterr().out) == {
        'unsupervised/entropy':
        ['+0.75', '+0.49', '55.0 ± 21.2', '70.0'],
        'unsupervised/snd': ['-', '-', '15.0 ± 7.1', '10.0'],
        'last checkpoint': ['-', '-', '55.0 ± 21.2', '-'],
        'best checkpoint (oracle)': ['-', '-', '60.0 ± 14.1', '70.0'],
    }
    assert out.read_bytes().startswith(b'\x89PNG')
    with open(out.with_suffix('.csv'), newline='') as file:
        lines = list(csv.reader(file))
    assert [float(cell) for cell in lines[1][1:]] == pytest.approx(
        [0.75, 17 / 35, 55, 70])
    assert lines[2][1:] == ['', '', '15.0', '10.0']


def test_another_oracle(compare, tmp_path, capsys):
    run = make_run(
        tmp_path / 'dann', [1, 2], name='accuracy/top1', snd=[1, 2])
    out = tmp_path / 'ranks.png'
    compare(run, '--oracle', 'accuracy/top1', '--out', out)
    assert cells(capsys.readouterr().out)['unsupervised/snd'][0] == '+1.00'
    with pytest.raises(SystemExit, match=f'{run} should have logged `{ORACLE}`'
                       r".*'accuracy/top1'.*See --oracle"):
        compare(run, '--out', out)


def test_metrics_of_a_users_own(compare, tmp_path, capsys):
    run = make_run(tmp_path / 'dann', [10, 20, 30], snd=[1, 2, 3],
                   mine=[3, 2, 1], mine_too=[1, 3, 2])
    out = ['--out', tmp_path / 'ranks.png']
    compare(run, *out, '--metrics', 'unsupervised/mine')
    lines = cells(capsys.readouterr().out)
    assert list(lines)[:2] == ['unsupervised/mine', 'unsupervised/mine_too']
    assert lines['unsupervised/mine'][::3] == ['-1.00', '10.0']
    assert len(lines) == 4
    compare(run, *out, '--metrics', 'unsupervised/mine', '--lower-is-better',
            'mine')
    lines = cells(capsys.readouterr().out)
    assert lines['unsupervised/mine'][::3] == ['+1.00', '30.0']
    with pytest.raises(SystemExit, match='metrics to compare, mine..., but'):
        compare(run, *out, '--metrics', 'mine')


def test_a_run_that_is_given_twice_is_refused(compare, tmp_path):
    run = make_run(tmp_path / 'dann', [1, 2], snd=[1, 2])
    with pytest.raises(SystemExit, match='given once'):
        compare(run, run, '--out', tmp_path / 'ranks.png')
