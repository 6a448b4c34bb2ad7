"""Whether metrics without target labels rank checkpoints as accuracy does."""
from __future__ import annotations

import statistics
from math import isfinite, nan
from pathlib import Path
from typing import Collection, NamedTuple, Sequence

import numpy as np
from scipy import stats

from mmgh.input_error import InputError
from .run_log import read_scalars

PREFIXES = ('unsupervised/', 'source/')


class Validations(NamedTuple):
    """What a run logged in its M validations."""

    oracle: np.ndarray
    """True accuracy on the target, shape ``(M, )``."""
    metrics: dict[str, np.ndarray]
    """By name, shape ``(M, )`` each; NaN where one was not logged."""


class Agreement(NamedTuple):
    """Of a metric with the true accuracy; NaN where it is undefined."""

    within_runs: float
    """Mean of the rank correlations over the checkpoints of each run."""
    over_all: float
    """Rank correlation over the checkpoints of all runs."""
    chosen_within_runs: list[float]
    """True accuracy of the checkpoint that it chooses in each run."""
    chosen_over_all: float
    """True accuracy of the one that it chooses from all runs."""


def read_validations(work_dir: Path,
                     oracle: str,
                     metrics: Sequence[str] = PREFIXES) -> Validations:
    """Read the log of a run.

    Args:
        work_dir (Path): Of the run.
        oracle (str): Name of the accuracy on the target in the log.
        metrics (Sequence[str]): How the names of the metrics begin. Defaults
            to scores without target labels, and to metrics of the source.

    Raises:
        FileNotFoundError: If there is no such folder.
        InputError: If the run logged no such accuracy, or no metric.
    """
    logged = [scalars for _, scalars in sorted(read_scalars(work_dir).items())]
    validations = [scalars for scalars in logged if oracle in scalars]
    names = dict.fromkeys(name for scalars in logged for name in scalars)
    if not validations:
        found = sorted(name for name in names if '/' in name)
        raise InputError(
            f'{work_dir} should have logged `{oracle}`, but has '
            f'{found or "no validation"}.',
            argument='oracle')
    columns = {
        name: np.array([scalars.get(name, nan) for scalars in validations],
                       dtype=float)
        for name in (oracle, *names)
        if name == oracle or name.startswith(tuple(metrics))
    }
    if len(columns) < 2:
        raise InputError(
            f'{work_dir} should have logged metrics to compare, '
            f'{" or ".join(f"{name}..." for name in metrics)}, but has none; '
            'mmgh.UnsupervisedMetric logs some.',
            argument='metrics')
    return Validations(columns.pop(oracle), columns)


def agreements(runs: Sequence[Validations],
               lower_is_better: Collection[str]) -> dict[str, Agreement]:
    """Say how each metric agrees with the true accuracy.

    Args:
        runs (Sequence[Validations]): Several methods, settings or seeds.
        lower_is_better (Collection[str]): Last parts of the names of metrics
            that are negated, so that a positive correlation means that the
            metric is right.
    """
    names = dict.fromkeys(name for run in runs for name in run.metrics)
    return {
        name: _agreement([
            (values_of(run, name), run.oracle) for run in runs
        ], -1 if name.split('/')[-1] in lower_is_better else 1)
        for name in names
    }


def values_of(run: Validations, name: str) -> np.ndarray:
    """Return a metric in all validations, NaN in a run that did not log
    it."""
    return run.metrics.get(name, np.full(len(run.oracle), nan))


def rank_correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Return Spearman's correlation over the pairs of which both are finite;
    NaN if either is constant."""
    finite = np.isfinite(first) & np.isfinite(second)
    first, second = first[finite], second[finite]
    if len(set(first)) < 2 or len(set(second)) < 2:
        return nan
    return float(stats.spearmanr(first, second).statistic)


def _agreement(pairs: list[tuple[np.ndarray, np.ndarray]],
               sign: int) -> Agreement:
    signed = [(sign * values, oracle) for values, oracle in pairs]
    together = tuple(map(np.concatenate, zip(*signed)))
    of_runs = [rank_correlation(*pair) for pair in signed]
    defined = [value for value in of_runs if isfinite(value)]
    chosen = [_chosen(*pair) for pair in signed]
    return Agreement(
        statistics.mean(defined) if defined else nan,
        rank_correlation(*together),
        [value for value in chosen if isfinite(value)], _chosen(*together))


def _chosen(values: np.ndarray, oracle: np.ndarray) -> float:
    """Return the true accuracy where the value is highest, the first time;
    NaN if no value is finite."""
    if not np.isfinite(values).any():
        return nan
    return float(oracle[np.argmax(np.where(np.isfinite(values), values,
                                           -np.inf))])
