"""Names of runs."""
from __future__ import annotations

import json
from collections import namedtuple

import pytest

from mmgh.analysis import distinct_names, group_by_name, run_name
from mmgh.input_error import InputError


@pytest.fixture
def runs(tmp_path):
    """Two seeds of two settings, each with a checkpoint."""
    paths = [tmp_path / f'seed{seed}' / name
             for seed in (0, 1) for name in ('dann', 'cdan')]
    for path in paths:
        path.mkdir(parents=True)
        (path / 'iter_5.pth').touch()
    return paths


def test_name_of_a_checkpoint_has_its_directory(runs):
    assert run_name(runs[0]) == 'dann'
    assert run_name(runs[0] / 'iter_5.pth') == 'dann/iter_5'


def test_runs_of_a_study_have_the_name_of_their_setting(tmp_path):
    names = set()
    for pair in ('A -> B', 'B -> A'):
        for seed in (0, 1):
            path = tmp_path / f'{pair}/DANN/GH_shared/{seed}'
            path.mkdir(parents=True)
            (path / 'run.json').write_text(json.dumps(
                dict(pair=pair, method='DANN', harmonizer='GH, shared')))
            names |= {run_name(path), run_name(path / 'iter_5.pth')}
    assert names == {
        'A -> B, DANN, GH, shared', 'B -> A, DANN, GH, shared',
        'A -> B, DANN, GH, shared, iter_5', 'B -> A, DANN, GH, shared, iter_5'
    }


def test_names_are_as_short_as_they_can_be(runs):
    assert distinct_names(runs[:2]) == ['dann', 'cdan']
    assert distinct_names(runs) == [
        'seed0/dann', 'seed0/cdan', 'seed1/dann', 'seed1/cdan'
    ]
    assert distinct_names([runs[0], runs[0] / 'iter_5.pth'
                           ]) == ['dann', 'dann/iter_5']


def test_directory_may_have_the_name_of_a_checkpoint(tmp_path):
    """Also where others need longer names than the paths of both."""
    deep = [tmp_path / letter / '/'.join('deep' * 3) for letter in 'ab']
    beside = [tmp_path / 'x', tmp_path / 'x.pth']
    names = distinct_names([*beside, *deep])
    assert len(set(names)) == 4
    assert distinct_names(beside) == ['x', f'{tmp_path.name}/x.pth']


def test_work_directory_may_be_the_current_one(runs, monkeypatch):
    monkeypatch.chdir(runs[0])
    assert distinct_names(['.']) == ['dann']


def test_run_that_comes_twice_is_refused(runs):
    with pytest.raises(InputError, match='once, but .*dann comes 2 times'):
        distinct_names([runs[0], runs[1], runs[0]])


def test_runs_of_one_name_are_one_group():
    Run = namedtuple('Run', 'name seed')
    first, other, second = Run('a', 0), Run('b', 0), Run('a', 1)
    assert group_by_name([first, other, second]) == {
        'a': [first, second],
        'b': [other]
    }
