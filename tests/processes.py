"""Processes that start at once, as copies of one that has its imports done.

That one is a server of multiprocessing. It starts with the first of them, and
has nothing of what the tests have left in this process.
"""
from __future__ import annotations

import multiprocessing
import os
import runpy
import sys
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
import torch.multiprocessing as mp
from torch import distributed

SERVER = multiprocessing.get_context('forkserver')
SERVER.set_forkserver_preload(
    ['mmgh', 'mmgh.datasets', 'mmgh.hooks', 'mmgh.models', 'mmgh.optim',
     'mmengine.runner', 'tests.processes'])


def on_two_ranks(function, *args) -> list:
    """What ``function(rank, *args)`` returns on each rank of a group."""
    with TemporaryDirectory() as folder:
        mp.start_processes(
            _join_group, (folder, function, args), nprocs=2,
            start_method='forkserver')
        return [torch.load(f'{folder}/rank{rank}.pth') for rank in (0, 1)]


def _join_group(rank: int, folder: str, function, args: tuple) -> None:
    os.chdir(folder)  # MMEngine leaves a directory behind
    os.environ['GLOO_SOCKET_IFNAME'] = 'lo'
    distributed.init_process_group(
        'gloo',
        init_method=f'file://{folder}/store',
        rank=rank,
        world_size=2,
        timeout=timedelta(seconds=60))
    torch.set_num_threads(1)
    torch.save(function(rank, *args), f'{folder}/rank{rank}.pth')
    # A group that is destroyed holds Python's lock while it waits for its
    # threads, one of which may wait for that lock.
    os._exit(0)


class CopiedPopen:
    """Stands in for ``subprocess.Popen`` where that runs a Python script."""

    def __init__(self, command: list, stdout, stderr: int, env: dict) -> None:
        _, *argv = map(str, command)
        self._process = SERVER.Process(
            target=_run_script, args=(argv, stdout.name, env))
        self._process.start()

    def wait(self) -> int:
        self._process.join()
        return self._process.exitcode


def _run_script(argv: list[str], log: str, env: dict) -> None:
    with open(log, 'a') as file:
        for output in (sys.stdout, sys.stderr):
            os.dup2(file.fileno(), output.fileno())
    os.environ.update(env)
    sys.argv = argv
    sys.path.insert(0, str(Path(argv[0]).parent))
    runpy.run_path(argv[0], run_name='__main__')
