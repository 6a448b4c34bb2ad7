"""Compare runs: a table, and curves of angle and accuracy.

    mmgh compare WORK_DIR... --out comparison.png

Work directories of one name, such as seed0/dann and seed1/dann, are runs of
one setting: the table has their mean and standard deviation. Runs of a study
are those of one setting if they only differ by their seeds. The CSV beside
the picture has a line for each run. Angle and conflict are those of runs that
compare one pair of tasks; conflict.py shows several pairs.
"""
from __future__ import annotations

import sys
from math import isnan, nan
from pathlib import Path
from typing import Iterable

# What tools share is in the folder above.
sys.path.insert(0, str(Path(__file__).parents[1]))
# Before anything of OpenMMLab: it may repair an import of theirs.
import mmgh  # noqa: F401

# isort: split
from expected_errors import one_line_errors
from options import add_metric_option, make_parser

from mmgh.analysis import (RunLog, distinct_names, group_by_name, read_run_log,
                           setting_names)
from mmgh.analysis.plots import save
from mmgh.analysis.plots.comparison import comparison_figure
from mmgh.analysis.tables import markdown_table, spread, write_csv
from mmgh.input_error import InputError

HEADER = ('run', 'setting', 'target accuracy, last (%)',
          'chosen without target labels (%)', 'best (%, oracle)',
          'iterations in conflict (%)', 'mean angle (degrees)',
          'training time (s)')


def table(groups: dict[str, list[RunLog]]) -> str:
    """Write Markdown, one line per setting; a dash without one pair of
    tasks."""
    header = ('setting', 'runs', 'target accuracy, last (%)',
              'chosen without target labels (%)', 'best (%, oracle)',
              'iterations in conflict (%)', 'mean angle (degrees)',
              'training time (s)')
    return markdown_table(header, [(
        name,
        str(len(runs)),
        spread_of_known(run.last_accuracy for run in runs),
        spread_of_known(run.chosen_accuracy for run in runs),
        spread([max(run.accuracies) for run in runs]),
        spread_of_means(runs, 'train/conflict', factor=100),
        spread_of_means(runs, 'train/angle'),
        spread([seconds(run) for run in runs]),
    ) for name, runs in groups.items()])


def spread_of_known(values: Iterable[float]) -> str:
    """Write the spread of those that are not NaN."""
    return spread([value for value in values if not isnan(value)])


def spread_of_means(runs: list[RunLog], name: str, factor: int = 1) -> str:
    """Write the spread over the runs that logged it."""
    return spread([
        factor * mean(run, name) for run in runs if name in run.history])


def mean(run: RunLog, name: str) -> float:
    """Average over all iterations; NaN if it was not logged."""
    return float(run.history[name].mean()) if name in run.history else nan


def seconds(run: RunLog) -> float:
    """Add up the time of the training."""
    return float(run.history['train/time'].sum())


def unvalidated(runs: dict[str, RunLog]) -> list[str]:
    """Tell which accuracies the table lacks."""
    return [
        f'{name}: its last checkpoint, of iteration {run.iteration}, was not '
        f'validated, so its accuracy is left out; the last one is of '
        f'iteration {run.steps[-1]}. Resume the run.'
        for name, run in runs.items() if isnan(run.last_accuracy)
    ]


def rows(runs: dict[str, RunLog]) -> list[tuple]:
    """Make the lines of the CSV; NaN without one pair of tasks."""
    return [(
        name,
        run.name,
        run.last_accuracy,
        run.chosen_accuracy,
        max(run.accuracies),
        100 * mean(run, 'train/conflict'),
        mean(run, 'train/angle'),
        seconds(run),
    ) for name, run in runs.items()]


@one_line_errors(InputError)
def main() -> None:
    parser = make_parser(__doc__, out='comparison.png')
    parser.add_argument('work_dirs', nargs='+', type=Path, help='of the runs')
    add_metric_option(parser)
    args = parser.parse_args()
    names = distinct_names(args.work_dirs)
    runs = [
        read_run_log(path, args.metric)._replace(name=name)
        for path, name in zip(args.work_dirs, setting_names(args.work_dirs))
    ]
    groups = group_by_name(runs)
    print(table(groups))
    for sentence in unvalidated(dict(zip(names, runs))):
        print(sentence)
    save(comparison_figure(groups), args.out, args.dpi)
    numbers = args.out.with_suffix('.csv')
    write_csv(numbers, HEADER, rows(dict(zip(names, runs))))
    print(f'Curves: {args.out}\nNumbers: {numbers}')


if __name__ == '__main__':
    main()
