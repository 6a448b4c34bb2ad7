from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .runs import run_name
from .trained_model import load_trained

ACCURACY = 'accuracy/top1'


class RunLog(NamedTuple):
    """What the log and the last checkpoint of a run say."""

    name: str
    steps: list[int]
    """Iterations at which the accuracy was measured."""
    accuracies: list[float]
    """Percent, on the target test data."""
    history: dict[str, np.ndarray]
    """One value per training iteration of each logged scalar."""


def read_run_log(work_dir: Path, metric: str = ACCURACY) -> RunLog:
    """Read a run that left a checkpoint.

    Args:
        work_dir (Path): Of the run.
        metric (str): Name of the accuracy in the log.

    Raises:
        SystemExit: If the run has no checkpoint, or did not log the metric.
    """
    trained = load_trained(work_dir)
    accuracies = read_accuracies(work_dir, metric)
    if not accuracies:
        raise SystemExit(f'{work_dir} has no logged `{metric}`.')
    steps = sorted(accuracies)
    values = [accuracies[step] for step in steps]
    return RunLog(run_name(work_dir), steps, values, trained.history)


def read_accuracies(work_dir: Path, metric: str) -> dict[int, float]:
    """The metric by iteration."""
    return {
        step: scalars[metric]
        for step, scalars in read_scalars(work_dir).items()
        if metric in scalars
    }


def read_scalars(work_dir: Path) -> dict[int, dict[str, float]]:
    """All that was logged, by iteration; a resumed run has several logs, the
    later one counts."""
    logged: dict[int, dict[str, float]] = {}
    for log in sorted(work_dir.glob('*/vis_data/scalars.json')):
        for line in log.read_text().splitlines():
            try:
                scalars = json.loads(line)
            except ValueError:  # a run was killed while it wrote this line
                continue
            logged.setdefault(scalars['step'], {}).update(scalars)
    return logged
