from __future__ import annotations

import json
from math import inf, nan
from pathlib import Path
from typing import Iterator, NamedTuple

import numpy as np

from mmgh.checkpoints import chosen_checkpoints, step_of_chosen
from mmgh.input_error import InputError
from .runs import run_name
from .trained_model import load_trained

ACCURACY = 'accuracy/top1'
# Where target labels are only watched, never used for a choice.
ORACLE = f'oracle/{ACCURACY}'
BOOKKEEPING = ('step', 'iter', 'epoch', 'time', 'data_time', 'memory')


class RunLog(NamedTuple):
    """What the log and the last checkpoint of a run say."""

    name: str
    steps: list[int]
    """Iterations at which the accuracy was measured."""
    accuracies: list[float]
    """Percent, on the target test data."""
    history: dict[str, np.ndarray]
    """Values of each scalar that training logged, see
    :attr:`Trained.history`."""
    iteration: int
    """Of the last checkpoint."""
    chosen_accuracy: float = nan
    """Percent, of the checkpoint that was chosen without target labels; NaN
    if none was, or by several metrics."""

    @property
    def last_accuracy(self) -> float:
        """Percent; NaN if the last checkpoint was not validated: an older
        accuracy is not that of its weights."""
        return nan if self.steps[-1] < self.iteration else self.accuracies[-1]


def read_run_log(work_dir: Path, metric: str | None = None) -> RunLog:
    """Read a run that left a checkpoint.

    Args:
        work_dir (Path): Of the run.
        metric (str, optional): Name of the accuracy in the log. Defaults to
            None: see :func:`accuracy_name`.

    Raises:
        FileNotFoundError: If the run has no checkpoint.
        InputError: If it did not log the metric.
    """
    trained = load_trained(work_dir, newest=True)
    name = accuracy_name(work_dir, metric)
    accuracies = read_accuracies(work_dir, name)
    if not accuracies:
        raise _missing(work_dir, name)
    steps = sorted(accuracies)
    values = [accuracies[step] for step in steps]
    length = trained.iterations_of_step
    iterations = [length * step for step in steps]
    return RunLog(
        run_name(work_dir), iterations, values, trained.history,
        trained.iteration, chosen_accuracy(work_dir, accuracies))


def chosen_accuracy(work_dir: Path, accuracies: dict[int, float]) -> float:
    """Return the accuracy of the checkpoint that was chosen without target
    labels; NaN if there is not one.

    Args:
        work_dir (Path): Of the run.
        accuracies (dict[int, float]): By step of the log.
    """
    chosen = chosen_checkpoints(work_dir)
    if len(chosen) != 1:
        return nan
    return accuracies.get(step_of_chosen(chosen[0]), nan)


def accuracy_name(work_dir: Path, metric: str | None = None) -> str:
    """Return the name of the target accuracy in the log of a run.

    Args:
        work_dir (Path): Of the run.
        metric (str, optional): The name, if it is known. Defaults to None:
            ``accuracy/top1``; ``oracle/accuracy/top1`` if only that one was
            logged.

    Raises:
        InputError: If the run did not log the wanted name.
    """
    names = validation_names(work_dir)
    if metric is None:
        only_oracle = ORACLE in names and ACCURACY not in names
        return ORACLE if only_oracle else ACCURACY
    if metric not in names:
        raise _missing(work_dir, metric)
    return metric


def validation_names(work_dir: Path) -> list[str]:
    """Return what validation logged, in the order of the log."""
    names = dict.fromkeys(
        name for line in _lines_that_count(work_dir)
        if _is_validation(line)
        for name, value in line.items() if isinstance(value, (int, float)))
    return [name for name in names if name not in BOOKKEEPING]


def read_accuracies(work_dir: Path, metric: str) -> dict[int, float]:
    """Read the metric by step of the log, an iteration or an epoch."""
    return {
        step: scalars[metric]
        for step, scalars in read_scalars(work_dir).items()
        if metric in scalars
    }


def read_scalars(work_dir: Path) -> dict[int, dict[str, float]]:
    """Read all that was logged, by step: an iteration, or an epoch where
    MMEngine counts validations by epoch.

    A work directory has a log for each time that its training was started.
    What an earlier one says of the iterations that a later one repeats does
    not count: a resumed training goes on after its checkpoint, which it may
    validate first, another one begins at the start.
    """
    logged: dict[int, dict[str, float]] = {}
    for line in _lines_that_count(work_dir):
        logged.setdefault(line['step'], {}).update(line)
    return logged


def _lines_that_count(work_dir: Path) -> list[dict]:
    if not Path(work_dir).is_dir():
        raise FileNotFoundError(
            f'{work_dir} should be the work directory of a run, but there is '
            'no such folder.')
    counting: list[dict] = []
    for path in sorted(Path(work_dir).glob('*/vis_data/scalars.json')):
        lines = list(_lines(path))
        begin = min((line['step'] for line in lines), default=inf)
        if lines and _is_validation(lines[0]):
            begin += 1
        counting = [line for line in counting if line['step'] < begin] + lines
    return counting


def _lines(log: Path) -> Iterator[dict]:
    for line in log.read_text(encoding='utf-8').splitlines():
        try:
            yield json.loads(line)
        except ValueError:  # a run was killed while it wrote this line
            continue


def _is_validation(line: dict) -> bool:
    return 'iter' not in line  # training has it in each line


def _missing(work_dir: Path, name: str) -> InputError:
    names = validation_names(work_dir)
    logged = f'validation logged {", ".join(names)}' if names else (
        'no validation was logged')
    return InputError(
        f'{work_dir} should have logged `{name}`, but {logged}.',
        argument='metric')
