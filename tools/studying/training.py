"""Trains the runs of a study."""
from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mmengine.config import Config

from mmgh.input_error import InputError
from .local_pool import LocalPool
from .output import LOG
from .progress import Progress
from .results import read_result

if TYPE_CHECKING:
    from .slurm_pool import SlurmPool

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


def train_all(lengths: dict[Path, int | None],
              pool: LocalPool | SlurmPool) -> list[Path]:
    """Train the runs; return what failed.

    Args:
        lengths: Iterations by folder of a run.
        pool: What trains them.
    """
    progress = Progress(lengths)
    running, failed = set(lengths), []
    try:
        pool.start(lengths)
        while running:
            known = progress.seconds_left is not None
            ended = pool.wait(TELL_EVERY if known else TELL_FIRST)
            progress.look()
            if not ended:
                print(f'[{progress}]', flush=True)
            for work_dir, reason in ended.items():
                running.remove(work_dir)
                progress.end(work_dir)
                progress.look()
                result = read_result(work_dir)
                if result is None:
                    failed.append(work_dir)
                print(f'[{progress}] {work_dir}: ' +
                      (f"{result['accuracy']:.2f} %" if result else
                       f'failed: {reason} (see {LOG} there)'),
                      flush=True)
    except KeyboardInterrupt:
        print(f'\n{pool.farewell}')
        sys.exit(130)
    finally:
        pool.close()
    return failed
