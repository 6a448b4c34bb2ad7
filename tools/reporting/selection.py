"""Which checkpoint each metric without target labels chose."""
from __future__ import annotations

from math import isfinite
from pathlib import Path
from typing import Iterator

from mmgh.analysis.rank_correlation import PREFIXES
from mmgh.evaluation import UnsupervisedMetric
from .page import Section, Table
from .report_run import ReportRun

HEADER = ('run', 'chosen by', 'iteration', 'its value',
          'target accuracy (%, oracle)', 'file')
NOTHING = ('No run logged a metric that does without target labels, such as '
           'those of mmgh.UnsupervisedMetric.')


def selection(runs: list[ReportRun]) -> Section:
    rows = [row for run in runs if _metrics(run) for row in _rows(run)]
    if not rows:
        return Section('Which checkpoint?', NOTHING)
    return Section(
        'Which checkpoint?',
        'What each metric without target labels would choose from the '
        'validations, the last one, and for comparison the best one by target '
        'labels, which nobody may choose by.', Table(HEADER, rows))


def _metrics(run: ReportRun) -> list[str]:
    return [name for name in run.validations if name.startswith(PREFIXES)
            and 'loss' not in name]


def _rows(run: ReportRun) -> Iterator[tuple]:
    for name in _metrics(run):
        curve = {i: v for i, v in run.validations[name].items() if isfinite(v)}
        if curve:
            lower = name.split('/')[-1] in UnsupervisedMetric.lower_is_better
            # Of equal ones the first, as MMEngine's hook saves it.
            chosen = (min if lower else max)(sorted(curve), key=curve.get)
            yield _row(run, name, chosen, f'{curve[chosen]:.4g}')
    yield _row(run, 'last', max(run.validations[_metrics(run)[0]]), '-')
    accuracies = run.validations.get(run.metric)
    if accuracies:
        best = max(sorted(accuracies), key=accuracies.get)
        yield _row(run, 'oracle', best, '-')


def _row(run: ReportRun, name: str, iteration: int, value: str) -> tuple:
    accuracy = run.validations.get(run.metric, {}).get(iteration)
    return (run.name, name, str(iteration), value,
            '-' if accuracy is None else f'{accuracy:.1f}',
            _file_of(run.work_dir, iteration))


def _file_of(work_dir: Path, iteration: int) -> str:
    """Return the name of a checkpoint of the iteration; a dash if it was not
    kept."""
    names = sorted(path.name for path in work_dir.glob(f'*_{iteration}.pth'))
    return names[0] if names else '-'
