"""Compare runs: a table, and curves of angle and accuracy.

    python tools/analysis/compare_runs.py WORK_DIR... --out comparison.png

Work directories of one name, such as seed0/dann and seed1/dann, are runs of
one setting: the table has their mean and standard deviation.
"""
from __future__ import annotations

import argparse
from itertools import cycle
from pathlib import Path

# Before anything of OpenMMLab: it may repair an import of theirs.
import mmgh  # noqa: F401
from mmgh.analysis import RunLog, group_by_name, read_run_log
from mmgh.analysis.conflict import iterations_of
from mmgh.analysis.plots import COLOURS, SMOOTHING, draw_smooth, pyplot, save
from mmgh.analysis.tables import markdown_table, spread


def table(groups: dict[str, list[RunLog]]) -> str:
    """Markdown, one line per setting; a dash where nothing is harmonized."""
    header = ('setting', 'runs', 'target accuracy (%)',
              'iterations in conflict (%)', 'mean angle (degrees)',
              'training time (s)')
    return markdown_table(header, [(
        name,
        str(len(runs)),
        spread([run.accuracies[-1] for run in runs]),
        spread([100 * value for value in means(runs, 'train/conflict')]),
        spread(means(runs, 'train/angle')),
        spread([run.history['train/time'].sum() for run in runs]),
    ) for name, runs in groups.items()])


def means(runs: list[RunLog], name: str) -> list[float]:
    """Over all iterations, of each run that logged it."""
    return [
        float(run.history[name].mean()) for run in runs if name in run.history
    ]


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
                   f'mean of {SMOOTHING} iterations (degrees)')
    top.set_title('above the dashed line the gradients conflict', fontsize=10)
    bottom.set_ylabel('accuracy on the target\ntest data (%)')
    bottom.set_xlabel('training iteration')
    for axes in (top, bottom):
        axes.grid(alpha=0.3)
        if axes.get_legend_handles_labels()[0]:
            axes.legend()
    save(figure, path)


def main() -> None:
    parser = argparse.ArgumentParser(description='Compare runs')
    parser.add_argument('work_dirs', nargs='+', type=Path, help='of the runs')
    parser.add_argument(
        '--out', type=Path, default='comparison.png', help='PNG to write')
    args = parser.parse_args()
    groups = group_by_name([read_run_log(path) for path in args.work_dirs])
    print(table(groups))
    plot(groups, args.out)
    print(f'Curves: {args.out}')


if __name__ == '__main__':
    main()
