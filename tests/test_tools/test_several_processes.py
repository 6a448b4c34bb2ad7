"""Scripts that start several processes, and how long these wait."""
from __future__ import annotations

import os
import subprocess
from datetime import timedelta
from math import inf, nan
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

ROOT = Path(__file__).parents[2]
RUNTIME = ROOT / 'configs/_base_/default_runtime.py'


@pytest.mark.parametrize('script, arguments', [
    ('dist_train', ['CONFIG', 'GPUS']),
    ('dist_test', ['CONFIG', 'CHECKPOINT', 'GPUS']),
    ('slurm_train', ['PARTITION', 'JOB_NAME', 'CONFIG', 'WORK_DIR']),
])
def test_missing_arguments_are_named(script, arguments):
    for given in (arguments[:-1], []):
        result = subprocess.run(
            ['bash', ROOT / f'tools/{script}.sh', *given],
            capture_output=True,
            text=True)
        assert result.returncode == 2 and not result.stdout
        line, = result.stderr.splitlines()
        assert line.startswith('usage: ')
        assert line.endswith(f"{script}.sh {' '.join(arguments)} [options]")


@pytest.mark.parametrize('seconds, timeout', [
    (600, timedelta(minutes=10)), (0.5, timedelta(seconds=0.5)),
    (None, None)
])
def test_processes_on_a_cpu_wait_as_long_as_the_config_says(
        load_tool, monkeypatch, seconds, timeout):
    """On GPUs MMEngine reads the same setting."""
    seen = []
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    monkeypatch.setattr(
        torch.distributed, 'init_process_group',
        lambda backend, timeout: seen.append((backend, timeout)))
    cfg = Config(
        dict(launcher='pytorch',
             env_cfg=dict(dist_cfg=dict(backend='nccl', timeout=seconds))))
    tool = load_tool('command_line')
    tool.distribute_on_cpu(cfg)
    tool.distribute_on_cpu(Config(dict(launcher='pytorch')))
    assert seen == [('gloo', timeout), ('gloo', None)]


@pytest.mark.parametrize('settings, finds', [
    ({}, False), (dict(find_unused_parameters=True), True),
    (dict(model_wrapper_cfg=dict(find_unused_parameters=True)), True)])
def test_processes_on_a_cpu_find_unused_parameters_if_the_config_says_so(
        load_tool, monkeypatch, settings, finds):
    """On GPUs MMEngine reads the same settings."""
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    monkeypatch.setattr(torch.distributed, 'init_process_group',
                        lambda backend, timeout: None)
    cfg = Config(dict(launcher='pytorch', **settings))
    load_tool('command_line').distribute_on_cpu(cfg)
    assert cfg.model_wrapper_cfg.find_unused_parameters is finds
    assert cfg.model_wrapper_cfg.device_ids is None


def test_jobs_of_slurm_meet_at_ports_of_their_own(load_tool, monkeypatch):
    """On GPUs MMEngine reads the same variables."""
    tool = load_tool('command_line')
    variables = dict(
        SLURM_PROCID='3', SLURM_LOCALID='1', SLURM_NTASKS='4',
        SLURM_NODELIST='node[1-2]', MASTER_ADDR='node1')
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv('MASTER_PORT', raising=False)
    found = []
    for job in ('70001', '70002'):
        monkeypatch.setenv('SLURM_JOB_ID', job)
        found.append(tool.rendezvous_of_slurm())
    ports = [int(one.pop('MASTER_PORT')) for one in found]
    assert ports[0] != ports[1] and all(1024 < port < 32768 for port in ports)
    assert found == 2 * [dict(
        MASTER_ADDR='node1', RANK='3', LOCAL_RANK='1', WORLD_SIZE='4')]
    monkeypatch.setenv('MASTER_PORT', '1234')
    assert tool.rendezvous_of_slurm()['MASTER_PORT'] == '1234'


@pytest.mark.parametrize('variables, resources', [
    ({}, ['--gres=gpu:8', '--ntasks-per-node=8', '--ntasks=8']),
    (dict(GPUS='4', GPUS_PER_NODE='2'),
     ['--gres=gpu:2', '--ntasks-per-node=2', '--ntasks=4']),
    (dict(GPUS='4', GPUS_PER_NODE='0'), ['--ntasks=4']),
])
def test_script_asks_slurm_for_gpus_or_for_none(tmp_path, monkeypatch,
                                                variables, resources):
    (tmp_path / 'srun').write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    (tmp_path / 'srun').chmod(0o755)
    monkeypatch.setenv('PATH', str(tmp_path), prepend=os.pathsep)
    for name in ('GPUS', 'GPUS_PER_NODE'):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    given = subprocess.run(
        ['bash', ROOT / 'tools/slurm_train.sh', 'gpu', 'a job', 'c.py', 'out',
         '--resume'],
        check=True, capture_output=True, text=True).stdout.splitlines()
    assert given[:2] == ['--partition=gpu', '--job-name=a job']
    assert given[2:2 + len(resources)] == resources
    assert given[-6:] == [
        'c.py', '--work-dir', 'out', '--launcher', 'slurm', '--resume']


def test_configs_say_how_long():
    assert Config.fromfile(RUNTIME).env_cfg.dist_cfg.timeout == 600


@pytest.mark.parametrize('seconds', [0, -1, nan, inf, '10', [10], True])
def test_timeout_that_is_no_time_is_refused(tools, tmp_path, seconds):
    path = tmp_path / 'config.py'
    path.write_text('from math import inf, nan\nenv_cfg = dict(\n'
                    f'    dist_cfg=dict(backend="nccl", timeout={seconds!r}))')
    with pytest.raises(SystemExit, match=r'`env_cfg.dist_cfg.timeout` should '
                       r'be a number of seconds above 0, but got '):
        tools('train', path)
