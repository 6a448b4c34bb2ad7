"""One run of a study: what tools/study.py does for each.

    python tools/studying/run.py WORK_DIR

trains config.py in the folder, or goes on with it, and writes result.json.
"""
from __future__ import annotations

import fcntl
import json
import platform
import sys
from math import isnan
from pathlib import Path

# What tools share is in the folder above.
sys.path.insert(0, str(Path(__file__).parents[1]))
# Before anything of OpenMMLab: it may repair an import of theirs.
import mmgh

# isort: split
import mmengine
import mmpretrain
import torch
from command_line import build_runner, set_loader_defaults, slips_told
from mmengine.config import Config
from studying.chosen import chosen_checkpoint

from mmgh.analysis import RunLog, read_run_log
from mmgh.atomic_files import write_atomically
from mmgh.config_file import import_custom_modules
from mmgh.config_text import read_assignments


def read_written(path: Path) -> Config:
    """Read a config as data: what MMEngine writes for an infinite number is
    no Python."""
    cfg = Config(read_assignments(path.read_text()), filename=str(path))
    import_custom_modules(cfg, path)
    return cfg


def train(work_dir: Path) -> Config:
    """Train what is missing; return the config."""
    cfg = read_written(work_dir / 'config.py')
    cfg.work_dir = str(work_dir)
    # Of a new training there would be a warning that it has nothing to go on.
    cfg.resume = ((work_dir / 'last_checkpoint').exists()
                  or any(work_dir.glob('*.pth')))
    cfg.launcher = 'none'
    set_loader_defaults(cfg, pin_memory=True, persistent_workers=True)
    with slips_told(cfg):
        build_runner(cfg).train()
    return cfg


def measurements(run: RunLog, scale: float) -> dict:
    """Sum up the log of a finished run, the metric in percent."""

    def mean(name: str) -> float | None:
        """Average over the iterations, and over the pairs of tasks."""
        values = [
            value.mean() for key, value in run.history.items()
            if key.startswith(f'train/{name}')
        ]
        return float(sum(values) / len(values)) if values else None

    return dict(
        iterations=run.steps[-1],
        accuracy=scale * run.last_accuracy,
        oracle_accuracy=scale * max(run.accuracies),
        validations=len(run.accuracies),
        conflict=mean('conflict'),
        angle=mean('angle'),
        seconds=float(run.history['train/time'].sum()))


def versions() -> dict:
    return dict(
        mmgh=mmgh.__version__,
        torch=torch.__version__,
        mmengine=mmengine.__version__,
        mmpretrain=mmpretrain.__version__,
        python=platform.python_version(),
        device=torch.cuda.get_device_name()
        if torch.cuda.is_available() else cpu_name())


def cpu_name() -> str:
    """Name the CPU: the last digits of a result depend on it."""
    info = Path('/proc/cpuinfo')
    for line in info.read_text().splitlines() if info.exists() else []:
        if line.startswith('model name'):
            return line.split(':', 1)[1].strip()
    return platform.processor() or platform.machine()


def main(work_dir: Path) -> None:
    with open(work_dir / 'lock', 'w') as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(f'{work_dir} is being trained by another process.')
        description = json.loads((work_dir / 'run.json').read_text())
        cfg = train(work_dir)
        run = read_run_log(work_dir, description['metric'])
        if isnan(run.last_accuracy):
            sys.exit(f'{work_dir} was not validated at iteration '
                     f'{run.iteration}, its last.')
        scale = description.get('scale', 1.)
        result = {
            **description,
            **measurements(run, scale),
            **chosen_checkpoint(cfg, work_dir, description['metric'], scale),
            **versions()
        }
        write_atomically(work_dir / 'result.json',
                         json.dumps(result, indent=2).encode())


if __name__ == '__main__':
    main(Path(sys.argv[1]))
