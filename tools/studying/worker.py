from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Iterator

import torch

from .output import LOG, last_words

COPIES = Path(__file__).with_name('copies.py')


class Worker:
    """Trains one run at a time, in a process of its own.

    Args:
        number (int): Of this worker: it gets the next of the visible GPUs.
    """

    def __init__(self, number: int) -> None:
        self._environment = environment(number)
        self._process: subprocess.Popen | None = None
        self._stopped = False
        self._lock = Lock()

    def train(self, work_dir: Path) -> str | None:
        """Train a run; say in one line why it failed, if it did."""
        with self._lock:
            if self._stopped:
                return 'stopped'
            if self._process is None or self._process.poll() is not None:
                self._process = self._start(work_dir)
            process = self._process
            with suppress(BrokenPipeError):  # then it gives no answer either
                print(work_dir, file=process.stdin, flush=True)
        answer = process.stdout.readline()
        status = int(answer) if answer else process.wait()
        if status < 0:
            return f'killed by {signal.Signals(-status).name}'
        return last_words(work_dir / LOG) if status else None

    def stop(self) -> None:
        """Tell the process, and what it trains, to end; from another
        thread."""
        with self._lock:
            self._stopped = True
            if self._process is not None:
                with suppress(BrokenPipeError):
                    self._process.stdin.close()

    def wait(self) -> None:
        """Wait until the process has ended."""
        if self._process is not None:
            self._process.wait()

    def _start(self, work_dir: Path) -> subprocess.Popen:
        """What goes wrong before a run is in the log of the first one."""
        with open(work_dir / LOG, 'a') as log, _ctrl_c_blocked():
            return subprocess.Popen([sys.executable, COPIES],
                                    stdin=subprocess.PIPE,
                                    stdout=subprocess.PIPE,
                                    stderr=log,
                                    text=True,
                                    env=self._environment)


@contextmanager
def _ctrl_c_blocked() -> Iterator[None]:
    """Let what is started ignore it from its first moment: the mask of this
    thread is handed on."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def environment(worker: int) -> dict:
    """Give the worker the next of the visible GPUs, and one CPU thread.

    More threads would be faster for one run at a time only, and its last
    digits would depend on how many there are.
    """
    variables = {'OMP_NUM_THREADS': '1', **os.environ}
    visible = visible_gpus()
    if visible:
        variables['CUDA_VISIBLE_DEVICES'] = visible[worker % len(visible)]
    return variables


def visible_gpus() -> list[str]:
    """List what CUDA_VISIBLE_DEVICES calls the GPUs that there are."""
    count = torch.cuda.device_count()
    named = os.environ.get('CUDA_VISIBLE_DEVICES')
    if named is None:
        return list(map(str, range(count)))
    return [name.strip() for name in named.split(',')][:count]
