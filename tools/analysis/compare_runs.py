"""Compare runs: a table, and curves of angle and accuracy.

    python tools/analysis/compare_runs.py WORK_DIR... --out comparison.png

Work directories of one name, such as seed0/dann and seed1/dann, are runs of
one setting: the table has their mean and standard deviation.
"""
from __future__ import annotations

import argparse
import json
import math
import statistics
from itertools import cycle
from pathlib import Path
from typing import NamedTuple

# Before anything of OpenMMLab: it may repair an import of theirs.
import mmgh  # noqa: F401
import matplotlib
import numpy as np
import torch

matplotlib.use('Agg')
from matplotlib import pyplot as plt  # noqa: E402

ACCURACY = 'accuracy/top1'
# Okabe and Ito's colours can be told apart by the colour-blind.
COLOURS = ['#000000', '#E69F00', '#56B4E9', '#009E73', '#CC79A7', '#D55E00']
SMOOTHING = 50


class Run(NamedTuple):
    """What the log and the last checkpoint of a run say."""

    name: str
    steps: list[int]
    """Iterations at which the accuracy was measured."""
    accuracies: list[float]
    """Percent, on the target test data."""
    history: dict[str, np.ndarray]
    """One value per training iteration of each logged scalar."""


def read_run(work_dir: Path, metric: str = ACCURACY) -> Run:
    pointer = work_dir / 'last_checkpoint'
    if not pointer.exists():
        raise SystemExit(f'{work_dir} should be the work directory of a run '
                         'with a checkpoint, but has no `last_checkpoint`.')
    # The directory may have been moved since the pointer was written.
    checkpoint = torch.load(
        work_dir / Path(pointer.read_text()).name, map_location='cpu')
    history = {
        name: buffer.data[0]
        for name, buffer in checkpoint['message_hub']['log_scalars'].items()
    }
    accuracies = read_accuracies(work_dir, metric)
    if not accuracies:
        raise SystemExit(f'{work_dir} has no logged `{metric}`.')
    steps = sorted(accuracies)
    values = [accuracies[step] for step in steps]
    return Run(work_dir.resolve().name, steps, values, history)


def read_accuracies(work_dir: Path, metric: str) -> dict[int, float]:
    """By iteration; a resumed run has several logs, the later one counts."""
    accuracies = {}
    for log in sorted(work_dir.glob('*/vis_data/scalars.json')):
        for line in log.read_text().splitlines():
            try:
                scalars = json.loads(line)
            except ValueError:  # a run was killed while it wrote this line
                continue
            if metric in scalars:
                accuracies[scalars['step']] = scalars[metric]
    return accuracies


def group_by_name(runs: list[Run]) -> dict[str, list[Run]]:
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(run.name, []).append(run)
    return groups


def table(groups: dict[str, list[Run]]) -> str:
    """Markdown, one line per setting; a dash where nothing is harmonized."""
    rows = [
        ('setting', 'runs', 'target accuracy (%)',
         'iterations in conflict (%)', 'mean angle (degrees)',
         'training time (s)'),
        ('---', '---:', '---:', '---:', '---:', '---:'),
    ]
    for name, runs in groups.items():
        rows.append((
            name,
            str(len(runs)),
            spread([run.accuracies[-1] for run in runs]),
            spread([100 * mean(run, 'train/conflict') for run in runs]),
            spread([mean(run, 'train/angle') for run in runs]),
            spread([run.history['train/time'].sum() for run in runs]),
        ))
    widths = [max(map(len, column)) for column in zip(*rows)]
    return '\n'.join('| ' + ' | '.join(
        cell.ljust(width) for cell, width in zip(row, widths)) + ' |'
                     for row in rows)


def mean(run: Run, name: str) -> float:
    """Over all iterations; NaN where it was not logged."""
    return float(run.history[name].mean()) if name in run.history else math.nan


def spread(values: list[float]) -> str:
    """Mean, and standard deviation if there are several values."""
    if math.isnan(values[0]):
        return '-'
    text = f'{statistics.mean(values):.1f}'
    if len(values) > 1:
        text += f' ± {statistics.stdev(values):.1f}'
    return text


def plot(groups: dict[str, list[Run]], path: Path) -> None:
    figure, (top, bottom) = plt.subplots(
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
                window = min(SMOOTHING, len(angles))
                smooth = np.convolve(angles, np.ones(window) / window, 'valid')
                # With gradient accumulation several iterations make one.
                stride = len(run.history['train/time']) / len(angles)
                steps = stride * np.arange(window, len(angles) + 1)
                top.plot(steps, smooth, **style)
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
    figure.savefig(path, dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(description='Compare runs')
    parser.add_argument('work_dirs', nargs='+', type=Path, help='of the runs')
    parser.add_argument(
        '--out', type=Path, default='comparison.png', help='PNG to write')
    args = parser.parse_args()
    groups = group_by_name([read_run(path) for path in args.work_dirs])
    print(table(groups))
    plot(groups, args.out)
    print(f'Curves: {args.out}')


if __name__ == '__main__':
    main()
