"""Trains the runs of a study."""
from __future__ import annotations

import json
import sys
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path
from queue import SimpleQueue

from mmengine.config import Config

from mmgh.input_error import InputError
from .progress import Progress
from .results import read_result
from .worker import LOG, Worker

# Seconds without news; fewer, until it can be told how many are left.
TELL_EVERY = 30
TELL_FIRST = 10


def prepare(work_dir: Path, description: dict, cfg: Config) -> None:
    """Make the folder of a run, with all that its training needs.

    A folder of other settings is refused: its checkpoints and its result
    would be taken for those of this run.
    """
    file = work_dir / 'run.json'
    if file.exists():
        there = json.loads(file.read_text())
        for name, value in description.items():
            if there.get(name) != value:
                raise InputError(
                    f'{work_dir} is of another study: `{name}` is '
                    f'{there.get(name)!r} there, and {value!r} here. Choose '
                    'another --out.')
        return
    work_dir.mkdir(parents=True, exist_ok=True)
    # With a launcher it is no file of a user, who may have mistaken a name.
    Config({**cfg.to_dict(), 'launcher': 'none'}).dump(work_dir / 'config.py')
    file.write_text(json.dumps(description, indent=2))


def train_all(lengths: dict[Path, int | None], workers: int) -> list[Path]:
    """Train the runs in processes of their own; return what failed.

    Args:
        lengths: Iterations by folder of a run.
        workers: How many are trained at a time.
    """
    progress = Progress(lengths)
    free: SimpleQueue[Worker] = SimpleQueue()
    team = [Worker(number) for number in range(workers)]
    for worker in team:
        free.put(worker)

    def train(work_dir: Path) -> str | None:
        worker = free.get()
        try:
            return worker.train(work_dir)
        finally:
            free.put(worker)

    pool = ThreadPoolExecutor(workers)
    failed = []
    try:
        running = {pool.submit(train, path): path for path in lengths}
        while running:
            known = progress.seconds_left is not None
            ended, _ = wait(running, TELL_EVERY if known else TELL_FIRST,
                            FIRST_COMPLETED)
            progress.look()
            if not ended:
                print(f'[{progress}]', flush=True)
            for future in ended:
                work_dir = running.pop(future)
                progress.end(work_dir)
                progress.look()
                result = read_result(work_dir)
                if result is None:
                    failed.append(work_dir)
                print(f'[{progress}] {work_dir}: ' +
                      (f"{result['accuracy']:.2f} %" if result else
                       f'failed: {future.result()} (see {LOG} there)'),
                      flush=True)
    except KeyboardInterrupt:
        print('\nStopped. Run the same command again to go on.')
        sys.exit(130)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for worker in team:
            worker.stop()
    return failed
