"""Names of runs."""
from __future__ import annotations

import json
from collections import namedtuple

import pytest

from mmgh.analysis import (distinct_names, group_by_name, run_name,
                           setting_names)
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


def study_run(study, seed, iters=10, harmonizer='GH'):
    path = study / f'A_-_B/DANN/{harmonizer}/{seed}'
    path.mkdir(parents=True)
    (path / 'run.json').write_text(json.dumps(
        dict(pair='A -> B', method='DANN', harmonizer=harmonizer)))
    (path / 'config.py').write_text(
        f'randomness = dict(seed={seed})\nlimit = inf\n'
        f'train_cfg = dict(max_iters={iters})\nwork_dir = {str(path)!r}\n')
    (path / 'iter_5.pth').touch()
    return path


def test_seeds_of_one_study_are_one_setting(tmp_path):
    paths = [study_run(tmp_path, seed) for seed in (0, 1)]
    assert setting_names(paths) == ['A -> B, DANN, GH'] * 2
    assert setting_names([path / 'iter_5.pth' for path in paths]) == [
        'A -> B, DANN, GH, iter_5'] * 2


def test_runs_of_two_studies_are_two_settings(tmp_path):
    """Where they have one name, and whatever their configs are."""
    paths = [
        study_run(tmp_path / 'x/first', 0), study_run(tmp_path / 'x/first', 1),
        study_run(tmp_path / 'second', 0, iters=20),
        study_run(tmp_path / 'y/first', 0),
        study_run(tmp_path / 'second', 0, harmonizer='GH++')
    ]
    assert setting_names(paths) == [
        *['x/first: A -> B, DANN, GH'] * 2,
        f'{tmp_path.name}/second: A -> B, DANN, GH',
        'y/first: A -> B, DANN, GH', 'A -> B, DANN, GH++'
    ]


def test_other_configs_in_one_study_are_other_settings(tmp_path):
    paths = [study_run(tmp_path, 0), study_run(tmp_path, 1, iters=20),
             study_run(tmp_path, 2)]
    assert setting_names(paths) == [
        f'A -> B, DANN, GH, config {i}' for i in (1, 2, 1)]


def test_runs_of_no_study_go_by_their_names(runs, tmp_path):
    of_study = study_run(tmp_path, 0)
    assert setting_names([*runs, of_study]) == [
        *['dann', 'cdan'] * 2, 'A -> B, DANN, GH']
    (of_study / 'config.py').write_text('import os')
    with pytest.raises(InputError, match='config.py should be the config of'):
        setting_names([of_study])


def test_names_are_as_short_as_they_can_be(runs):
    assert distinct_names(runs[:2]) == ['dann', 'cdan']
    assert distinct_names(runs) == [
        'seed0/dann', 'seed0/cdan', 'seed1/dann', 'seed1/cdan'
    ]
    assert distinct_names([runs[0], runs[0] / 'iter_5.pth'
                           ]) == ['dann', 'dann/iter_5']


def test_runs_of_a_study_are_told_apart_by_the_seed(runs, tmp_path):
    """A directory that is named 0 would tell nothing in a legend."""
    paths = [study_run(tmp_path / 'first', seed) for seed in (0, 1)]
    assert distinct_names([paths[0]]) == ['A -> B, DANN, GH, seed 0']
    other = study_run(tmp_path / 'second', 0)
    assert distinct_names([*paths, runs[0], other]) == [
        'first: A -> B, DANN, GH, seed 0', 'first: A -> B, DANN, GH, seed 1',
        'dann', 'second: A -> B, DANN, GH, seed 0'
    ]
    assert distinct_names([paths[0], paths[0] / 'iter_5.pth']) == [
        'A -> B, DANN, GH, seed 0', 'A -> B, DANN, GH, iter_5, seed 0'
    ]


def test_copies_elsewhere_are_told_apart_by_their_paths(tmp_path):
    for name in 'ab':
        study_run(tmp_path / name, 0).rename(tmp_path / f'{name}/0')
    names = distinct_names([tmp_path / 'a/0', tmp_path / 'b/0'])
    assert names == ['a/0', 'b/0']


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
