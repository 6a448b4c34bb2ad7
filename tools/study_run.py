"""One run of a study, in a worker process."""
from __future__ import annotations

import json
import os
import platform
import time
import traceback
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

# Before anything of OpenMMLab: it may repair an import of theirs.
import mmgh
import mmengine
import mmpretrain
import torch
from analysis.compare_runs import read_accuracies, read_run
from command_line import build_runner, set_loader_defaults
from study_plan import Run, run_config

RESULT = 'result.json'


def share_gpus(counter) -> None:
    """Give this worker the next of the visible GPUs."""
    with counter.get_lock():
        number, counter.value = counter.value, counter.value + 1
    if torch.cuda.is_available():
        torch.cuda.set_device(number % torch.cuda.device_count())


def train(run: Run, out: Path) -> None:
    """Train what is missing of a run, and write down its result."""
    work_dir = out / run.folder
    work_dir.mkdir(parents=True, exist_ok=True)
    with open(work_dir / 'output.log', 'a') as log, redirect_stdout(
            log), redirect_stderr(log):
        try:
            _train(run, work_dir)
        except BaseException:
            traceback.print_exc()
            raise


def _train(run: Run, work_dir: Path) -> None:
    cfg = run_config(run)
    cfg.work_dir = str(work_dir)
    cfg.resume = True
    cfg.launcher = 'none'
    # MMEngine shares logs between runs of one name.
    cfg.experiment_name = f"{work_dir.name}_{os.getpid()}_{time.time_ns()}"
    set_loader_defaults(cfg, pin_memory=True, persistent_workers=True)
    runner = build_runner(cfg)
    runner.train()
    if runner.iter not in read_accuracies(work_dir, run.metric):
        # It was stopped between the last checkpoint and its validation.
        runner.val()
    measured = measurements(read_run(work_dir, run.metric))
    result = {**run.description, **measured, **versions()}
    # All of it or nothing.
    partial = work_dir / f'{RESULT}.part'
    partial.write_text(json.dumps(result, indent=2))
    partial.rename(work_dir / RESULT)


def measurements(run) -> dict:
    """What the log of a finished run says."""

    def mean(name: str) -> float | None:
        """Over the iterations, and over the pairs of tasks."""
        values = [
            value.mean() for key, value in run.history.items()
            if key.startswith(f'train/{name}')
        ]
        return float(sum(values) / len(values)) if values else None

    return dict(
        iterations=run.steps[-1],
        accuracy=run.accuracies[-1],
        oracle_accuracy=max(run.accuracies),
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
    """The last digits of a result depend on it."""
    info = Path('/proc/cpuinfo')
    for line in info.read_text().splitlines() if info.exists() else []:
        if line.startswith('model name'):
            return line.split(':', 1)[1].strip()
    return platform.processor() or platform.machine()
