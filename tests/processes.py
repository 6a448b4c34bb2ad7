"""Processes that start at once, as copies of one that has its imports done.

That one is a server of multiprocessing. It starts with the first of them, and
has nothing of what the tests have left in this process.
"""
from __future__ import annotations

import gc
import multiprocessing
import os
import runpy
import sys
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
import torch.multiprocessing as mp
from torch import distributed
from torch.utils.data.dataloader import _MultiProcessingDataLoaderIter

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


def sends_bfloat16() -> bool:
    """Tell whether the group of this rank can: gloo of torch 2.1 cannot."""
    try:
        distributed.all_reduce(torch.ones(1, dtype=torch.bfloat16))
    except RuntimeError:
        return False
    return True


def end_loader_workers() -> None:
    """End the workers of all data loaders of this process.

    What is left of a training is a cycle: the collector may close the queues
    first, and then waits five seconds for each worker.
    """
    if multiprocessing.active_children():
        for found in gc.get_objects():
            if isinstance(found, _MultiProcessingDataLoaderIter):
                found._shutdown_workers()


class CopiedPopen:
    """Stands in for ``subprocess.Popen`` where that runs a Python script with
    pipes for its input and output, and a file for its errors."""

    def __init__(self, command: list, stdin: int, stdout: int, stderr,
                 text: bool, env: dict) -> None:
        _, *argv = map(str, command)
        read_by_it, written_by_us = SERVER.Pipe(duplex=False)
        read_by_us, written_by_it = SERVER.Pipe(duplex=False)
        self.stdin = os.fdopen(os.dup(written_by_us.fileno()), 'w')
        self.stdout = os.fdopen(os.dup(read_by_us.fileno()))
        self._process = SERVER.Process(
            target=_run_script,
            args=(argv, read_by_it, written_by_it, stderr.name, env))
        self._process.start()
        for end in (read_by_it, written_by_us, read_by_us, written_by_it):
            end.close()

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self) -> int:
        self._process.join()
        return self._process.exitcode


def _run_script(argv: list[str], stdin: Connection, stdout: Connection,
                errors: str, env: dict) -> None:
    with open(errors, 'a') as stderr:
        for number, file in enumerate((stdin, stdout, stderr)):
            os.dup2(file.fileno(), number)
    sys.stdin = os.fdopen(0)
    for end in (stdin, stdout):
        end.close()
    os.environ.clear()
    os.environ.update(env)
    sys.argv = argv
    sys.path.insert(0, str(Path(argv[0]).parent))
    runpy.run_path(argv[0], run_name='__main__')
