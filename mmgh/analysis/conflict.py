"""Conflict between tasks, from what a harmonized run logged."""
from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from mmgh.arguments import number
from mmgh.input_error import InputError
from .trained_model import load_trained

ANGLE, CONFLICT, WEIGHT = 'train/angle', 'train/conflict', 'train/weight_'
NORM = 'train/grad_norm_'
# Degrees; 90, where conflict begins, is an edge.
BIN_EDGES = np.arange(0, 181, 5)


class PairHistory(NamedTuple):
    """N comparisons of the gradients of two tasks."""

    tasks: tuple[str, str]
    iterations: np.ndarray
    """Of training, at which they were compared, shape ``(N, )``."""
    conflicts: np.ndarray
    """Shape ``(N, )``, 0 or 1."""
    angles: np.ndarray
    """Degrees, shape ``(N, )``."""
    weights: dict[str, np.ndarray]
    """Of each task, shape ``(N, )``."""
    total: int
    """Iterations of the training."""
    norms: dict[str, np.ndarray]
    """Of the gradient of each task, shape ``(N, )``; empty if they were not
    logged."""


class Phase(NamedTuple):
    """A part of a training, and the means of its N comparisons; NaN where
    there are none."""

    start: float
    """Iterations before it."""
    end: float
    """Its last iteration."""
    comparisons: int
    conflict_rate: float
    """From 0 to 1."""
    angle: float
    """Degrees."""
    mean_weights: dict[str, float]
    max_weights: dict[str, float]


def read_pairs(path: str | Path) -> list[PairHistory]:
    """Read the pairs of tasks that a run compared.

    Args:
        path (str | Path): A work directory or a checkpoint.

    Raises:
        FileNotFoundError: If there is no checkpoint.
        InputError: If it logged no angles.
    """
    trained = load_trained(path, newest=True)
    pairs = pairs_of(trained.history, trained.iteration)
    if not pairs:
        raise InputError(f'{path} should be a harmonized run, but has no '
                         'logged angles: it was trained without '
                         'GHOptimWrapper.')
    return pairs


def pairs_of(history: dict[str, np.ndarray], total: int) -> list[PairHistory]:
    """Find the pairs of tasks in a history, among whatever else was logged.

    Args:
        history (dict[str, np.ndarray]): Logged values by name, as
            :class:`mmgh.optim.GHOptimWrapper` logs them.
        total (int): Iterations of the training.
    """
    pairs = []
    for name, angles in history.items():
        suffix = name[len(ANGLE):]
        if not name.startswith(ANGLE) or CONFLICT + suffix not in history:
            continue
        names = _weights_of(suffix, [
            key[len(WEIGHT):] for key in history if key.startswith(WEIGHT)])
        if not names:
            continue
        pairs.append(PairHistory(
            tuple(names), iterations_of(len(angles), total),
            history[CONFLICT + suffix], angles,
            {task: history[WEIGHT + key] for task, key in names.items()},
            total,
            {task: history[NORM + key] for task, key in names.items()
             if NORM + key in history}))
    return pairs


def iterations_of(count: int, total: int) -> np.ndarray:
    """Say where `count` evenly spaced values of `total` iterations belong.

    With gradient accumulation, or an ``interval``, there are fewer values
    than iterations: each one stands at the last of those it belongs to.

    Returns:
        np.ndarray: Shape ``(count, )``; the last one is `total`.
    """
    return np.linspace(total / count, total, count)


def phases_of(pair: PairHistory, count: int) -> list[Phase]:
    """Split a training into equal phases.

    Args:
        pair (PairHistory): Of one run.
        count (int): Of phases.

    Raises:
        InputError: If there are not so many iterations.
    """
    number(
        at_least=1,
        at_most=pair.total,
        whole=True,
        since=f'the training has {pair.total} iterations').check(phases=count)
    edges = np.linspace(0, pair.total, count + 1)
    member = np.digitize(pair.iterations, edges[1:-1], right=True)
    return [
        _phase(pair, edges[i], edges[i + 1], member == i)
        for i in range(count)
    ]


def angle_histogram(angles: np.ndarray) -> np.ndarray:
    """Count the angles in each bin of 5 degrees, shape ``(36, )``."""
    return np.histogram(angles, BIN_EDGES)[0]


def _weights_of(suffix: str, names: list[str]) -> dict[str, str]:
    """Return the names of the logged weights of a pair, by task; none if it
    has none."""
    grouped = {
        name[:len(name) - len(suffix)]: name
        for name in names if name.endswith(suffix)
    }
    if len(grouped) == 2:
        return grouped
    # More than two tasks that are weighed together.
    return next(({first: first, second: second}
                 for first in names for second in names
                 if f'_{first}_{second}' == suffix), {})


def _phase(pair: PairHistory, start: float, end: float,
           member: np.ndarray) -> Phase:
    count = int(member.sum())
    weights = {
        task: values[member] if count else np.array([np.nan])
        for task, values in pair.weights.items()
    }

    def mean(values: np.ndarray) -> float:
        return float(values[member].mean()) if count else float('nan')

    return Phase(
        float(start), float(end), count, mean(pair.conflicts),
        mean(pair.angles), {t: float(w.mean()) for t, w in weights.items()},
        {t: float(w.max()) for t, w in weights.items()})
