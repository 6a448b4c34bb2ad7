"""Scripts that start several processes, and how long these wait."""
from __future__ import annotations

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
