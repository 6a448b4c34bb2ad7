"""Compare runs: a table, and curves of angle and accuracy.

    python tools/analysis/compare_runs.py WORK_DIR... --out comparison.png

Work directories of one name, such as seed0/dann and seed1/dann, are runs of
one setting: the table has their mean and standard deviation. The CSV beside
the picture has a line for each run. Angle and conflict are those of runs that
compare one pair of tasks; conflict.py shows several pairs.
"""
from __future__ import annotations

from itertools import cycle
from math import nan
from pathlib import Path

# Before anything of OpenMMLab: it may repair an import of theirs.
import mmgh  # noqa: F401
from mmgh.analysis import (RunLog, distinct_names, group_by_name,
                           read_run_log)
from mmgh.analysis.conflict import iterations_of
from mmgh.analysis.options import add_metric_option, make_parser
from mmgh.analysis.plots import (COLOURS, SMOOTHING, draw_smooth,
                                 over_training, pyplot, save)
from mmgh.analysis.tables import markdown_table, spread, write_csv

HEADER = ('run', 'setting', 'target accuracy, last (%)',
          'target accuracy, best (%, oracle)', 'iterations in conflict (%)',
          'mean angle (degrees)', 'training time (s)')


def table(groups: dict[str, list[RunLog]]) -> str:
    """Markdown, one line per setting; a dash without one pair of tasks."""
    header = ('setting', 'runs', 'target accuracy (%)',
              'iterations in conflict (%)', 'mean angle (degrees)',
              'training time (s)')
    return markdown_table(header, [(
        name,
        str(len(runs)),
        spread([run.accuracies[-1] for run in runs]),
        spread_of_means(runs, 'train/conflict', factor=100),
        spread_of_means(runs, 'train/angle'),
        spread([seconds(run) for run in runs]),
    ) for name, runs in groups.items()])


def spread_of_means(runs: list[RunLog], name: str, factor: int = 1) -> str:
    """Of the runs that logged it."""
    return spread([
        factor * mean(run, name) for run in runs if name in run.history])


def mean(run: RunLog, name: str) -> float:
    """Over all iterations; NaN if it was not logged."""
    return float(run.history[name].mean()) if name in run.history else nan


def seconds(run: RunLog) -> float:
    """Of the training."""
    return float(run.history['train/time'].sum())


def plot(groups: dict[str, list[RunLog]], path: Path) -> None:
    figure, (top, bottom) = pyplot.subplots(
        2, 1, sharex=True, figsize=(8, 7), layout='constrained')
    for (name, runs), colour in zip(groups.items(), cycle(COLOURS)):
        for i, run in enumerate(runs):
            style = dict(
                color=colour,
                label=name if i == 0 else None,
                alpha=1 if len(runs) == 1 else 0.6)
            bottom.plot(run.steps, run.accuracies, marker='.', **style)
            if 'train/angle' in run.history:
                angles = run.history['train/angle']
                last = len(run.history['train/time'])
                draw_smooth(top, iterations_of(len(angles), last), angles,
                            **style)
    top.axhline(90, color='grey', linestyle='--', linewidth=1)
    top.set_ylabel('angle between the task gradients,\n'
                   f'mean of up to {SMOOTHING} comparisons (degrees)')
    top.set_title('above the dashed line the gradients conflict', fontsize=10)
    bottom.set_ylabel('accuracy on the target\ntest data (%)')
    for axes in (top, bottom):
        over_training(axes)
        if axes.get_legend_handles_labels()[0]:
            axes.legend()
    top.set_xlabel('')
    save(figure, path)


def rows(runs: dict[str, RunLog]) -> list[tuple]:
    """Lines of the CSV; NaN without one pair of tasks."""
    return [(
        name,
        run.name,
        run.accuracies[-1],
        max(run.accuracies),
        100 * mean(run, 'train/conflict'),
        mean(run, 'train/angle'),
        seconds(run),
    ) for name, run in runs.items()]


def main() -> None:
    parser = make_parser(__doc__, out='comparison.png')
    parser.add_argument('work_dirs', nargs='+', type=Path, help='of the runs')
    add_metric_option(parser)
    args = parser.parse_args()
    names = distinct_names(args.work_dirs)
    runs = [read_run_log(path, args.metric) for path in args.work_dirs]
    groups = group_by_name(runs)
    print(table(groups))
    plot(groups, args.out)
    numbers = args.out.with_suffix('.csv')
    write_csv(numbers, HEADER, rows(dict(zip(names, runs))))
    print(f'Curves: {args.out}\nNumbers: {numbers}')


if __name__ == '__main__':
    main()
