from __future__ import annotations

from concurrent.futures import (FIRST_COMPLETED, Future, ThreadPoolExecutor,
                                wait)
from pathlib import Path
from queue import SimpleQueue
from typing import Iterable

from .worker import Worker


class LocalPool:
    """Trains runs on this machine, each in a process of its own.

    Args:
        workers (int): How many are trained at a time.
    """

    farewell = 'Stopped. Run the same command again to go on.'

    def __init__(self, workers: int) -> None:
        self._team = [Worker(number) for number in range(workers)]
        self._free: SimpleQueue[Worker] = SimpleQueue()
        for worker in self._team:
            self._free.put(worker)
        self._threads = ThreadPoolExecutor(workers)
        self._running: dict[Future, Path] = {}

    def start(self, work_dirs: Iterable[Path]) -> None:
        """Train these runs from now on."""
        for work_dir in work_dirs:
            self._running[self._threads.submit(self._train,
                                               work_dir)] = work_dir

    def wait(self, seconds: float) -> dict[Path, str | None]:
        """Wait until a run ends, but not for longer than that.

        Returns:
            dict[Path, str | None]: Which ended; why they failed, if they did.
        """
        ended, _ = wait(self._running, seconds, FIRST_COMPLETED)
        return {self._running.pop(one): one.result() for one in ended}

    def close(self) -> None:
        """End what is being trained, and all processes."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for worker in self._team:  # all, before somebody loses patience
            worker.stop()
        for worker in self._team:
            worker.wait()

    def _train(self, work_dir: Path) -> str | None:
        worker = self._free.get()
        try:
            return worker.train(work_dir)
        finally:
            self._free.put(worker)
