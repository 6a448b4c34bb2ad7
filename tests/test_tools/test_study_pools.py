"""Where the runs of a study are trained."""
from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from argparse import ArgumentParser
from importlib import import_module
from importlib.util import find_spec
from types import SimpleNamespace

import pytest
import torch

from mmgh.input_error import InputError
from ..processes import CopiedPopen
from .conftest import TOOLS
from .small_study import write_study

with_submitit = pytest.mark.skipif(
    find_spec('submitit') is None, reason='submitit is not installed')
# What a run imports tells what its process was given.
TELL = '''
import os
print('given', os.environ.get('CUDA_VISIBLE_DEVICES'),
      os.environ['OMP_NUM_THREADS'])
'''


@pytest.fixture(scope='module')
def pools(load_tool):
    return import_module('studying.pools')


@pytest.fixture
def options(pools):
    """``options('--workers', '2')`` are read, and checked."""

    def read(*given: str):
        parser = ArgumentParser()
        pools.add_pool_options(parser)
        args = parser.parse_args(given)
        pools.check_pool_options(parser, args)
        return args

    return read


@pytest.fixture
def given(pools, tmp_path, monkeypatch):
    """``given(workers)`` tells what each of as many processes was given."""
    worker = import_module('studying.worker')
    monkeypatch.setattr(worker, 'subprocess', SimpleNamespace(
        Popen=CopiedPopen, PIPE=subprocess.PIPE))
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / 'tell.py').write_text(TELL)

    def run(workers: int) -> list[tuple[str, str]]:
        runs = []
        for number in range(workers):
            folder = tmp_path / str(number)
            folder.mkdir()
            (folder / 'run.json').write_text(json.dumps({}))
            (folder / 'config.py').write_text(
                'custom_imports = dict(imports=["tell"])\n')
            runs.append(folder)
        pool = pools.LocalPool(workers)
        pool.start(runs)
        ended = {}
        while len(ended) < workers:
            ended.update(pool.wait(60))
        pool.close()
        lines = [(run / 'output.log').read_text() for run in runs]
        return [tuple(line.split('given ')[1].split()[:2]) for line in lines]

    return run


def test_workers_share_the_visible_gpus(given, pools, options, monkeypatch):
    """In turn, by the names that the user gave them; none is idle."""
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 3)
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '5, GPU-a1,7,9')
    monkeypatch.setenv('OMP_NUM_THREADS', '2')
    assert given(4) == [
        ('5', '2'), ('GPU-a1', '2'), ('7', '2'), ('5', '2')]
    assert pools.workers_of(options()) == 3
    assert pools.workers_of(options('--workers', '2')) == 2


def test_without_names_gpus_are_numbered(pools, monkeypatch):
    environment = import_module('studying.worker').environment
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 2)
    monkeypatch.delenv('CUDA_VISIBLE_DEVICES', raising=False)
    assert [environment(i)['CUDA_VISIBLE_DEVICES'] for i in range(3)] == [
        '0', '1', '0']


def test_on_a_cpu_each_worker_has_one_thread(given, pools, options,
                                             monkeypatch):
    """So that results do not depend on how many there are."""
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 0)
    monkeypatch.delenv('CUDA_VISIBLE_DEVICES', raising=False)
    monkeypatch.delenv('OMP_NUM_THREADS', raising=False)
    assert given(2) == [('None', '1')] * 2
    assert pools.workers_of(options()) == 1


@pytest.mark.parametrize('given, message', [
    (['--workers', '0'], '--workers should be at least 1, but got 0'),
    (['--slurm', 'time=60'], '--slurm is for --cluster slurm'),
    (['--cluster', 'moon'], 'invalid choice'),
])
def test_options_without_sense_are_refused(options, capsys, given, message):
    with pytest.raises(SystemExit):
        options(*given)
    assert message in capsys.readouterr().err


def test_missing_submitit_is_told_in_a_sentence(tools, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'submitit', None)
    with pytest.raises(SystemExit, match='--cluster slurm needs submitit: '
                       'pip install submitit'):
        tools('study', write_study(tmp_path), '--out', tmp_path / 'out',
              '--cluster', 'slurm')


@with_submitit
def test_log_files_stay_open(tmp_path):
    code = (f'import logging; file = logging.FileHandler({str(tmp_path)!r} + '
            '"/log"); import studying.slurm_pool; assert file.stream')
    subprocess.run([sys.executable, '-c', code], cwd=TOOLS, check=True)


@with_submitit
@pytest.mark.parametrize('given, message', [
    (['partitoin=gpu'], r"but: Unavailable parameter.*'partitoin'"),
    (['time=1:00:00'], r"number of minutes, but got '1:00:00'"),
])
def test_wrong_parameters_of_jobs_are_refused(pools, options, tmp_path,
                                              monkeypatch, given, message):
    (tmp_path / 'srun').touch(mode=0o755)
    monkeypatch.setenv('PATH', str(tmp_path))
    args = options('--cluster', 'slurm', '--slurm', *given)
    args.out = tmp_path
    with pytest.raises(InputError, match=message):
        pools.make_pool(args)


@with_submitit
def test_missing_slurm_is_told(pools, options, tmp_path, monkeypatch):
    monkeypatch.setenv('PATH', str(tmp_path))
    args = options('--cluster', 'slurm')
    args.out = tmp_path
    with pytest.raises(InputError, match='where sbatch and srun are'):
        pools.make_pool(args)


@pytest.fixture
def stand_in_slurm(tmp_path, monkeypatch):
    """Commands that answer as Slurm's; arrays have two jobs at most."""
    commands = dict(
        srun='',
        squeue='',
        scontrol='echo "MaxArraySize            = 2"',
        sbatch=f'cat "$1" >> {tmp_path}/submitted; echo of this array >> '
        f'{tmp_path}/submitted; echo Submitted batch job '
        f'$(grep -c "of this array" {tmp_path}/submitted)')
    for name, line in commands.items():
        (tmp_path / name).write_text(f'#!/bin/sh\n{line}\n')
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv('PATH', str(tmp_path), prepend=os.pathsep)


@with_submitit
def test_runs_beyond_an_array_wait_for_it(pools, options, tmp_path,
                                          stand_in_slurm):
    args = options('--cluster', 'slurm', '--workers', '3', '--slurm',
                   'additional_parameters.reservation=ours')
    args.out = tmp_path
    runs = [tmp_path / f'run{i}' for i in range(5)]
    for run in runs:
        run.mkdir()
    pools.make_pool(args).start(runs)
    jobs = [(run / 'slurm_job').read_text() for run in runs]
    assert jobs == ['1_0', '1_1', '2_0', '2_1', '3']
    *arrays, _ = (tmp_path / 'submitted').read_text().split('of this array')
    assert all('--reservation=ours\n' in array and '--requeue\n' in array
               for array in arrays)
    assert [re.findall('afterany:(.*)', array) for array in arrays] == [
        [], ['1'], ['2']]
