"""Horizontal bars that compare runs."""
from __future__ import annotations

import statistics
from itertools import cycle
from typing import Sequence

import numpy as np
from matplotlib.figure import Figure

from mmgh.analysis.per_class import ClassAccuracies, class_order, differences
from .figure import as_label, legend_above, names_as_they_are, subplots
from .palette import COLOURS


@names_as_they_are()
def a_distance_figure(groups: dict[str, list[float]]) -> Figure:
    """Make a picture of ``draw_a_distances``."""
    figure, axes = subplots(figsize=(8, 1.5 + 0.5 * len(groups)))
    draw_a_distances(axes, groups)
    return figure


def draw_a_distances(axes, groups: dict[str, list[float]]) -> None:
    """Draw a bar for each setting: mean, standard deviation, and each run.

    Args:
        axes: Of matplotlib.
        groups (dict[str, list[float]]): A-distances by setting.
    """
    colours = cycle(COLOURS)
    for height, (values, colour) in enumerate(zip(groups.values(), colours)):
        error = statistics.stdev(values) if len(values) > 1 else None
        axes.barh(
            height,
            statistics.mean(values),
            xerr=error,
            height=0.6,
            color=colour,
            alpha=0.6,
            capsize=4)
        axes.plot(values, [height] * len(values), 'o', color='white',
                  markeredgecolor='black', markersize=4)
    axes.set_yticks(range(len(groups)), groups)
    axes.invert_yaxis()
    axes.set_xlim(0, 2.05)
    axes.set_xlabel('proxy A-distance (no unit)\n0: the domains look alike, '
                    '2: told apart without error')
    _grid(axes)


@names_as_they_are()
def per_class_figure(runs: Sequence[ClassAccuracies],
                     classes: Sequence[str],
                     counts: np.ndarray,
                     colours: Sequence[str] = COLOURS) -> Figure:
    """Make a picture of ``draw_class_accuracies``."""
    height = 2 + np.count_nonzero(counts) * (0.15 + 0.15 * len(runs))
    figure, axes = subplots(figsize=(8, height))
    draw_class_accuracies(axes, runs, classes, counts, colours)
    legend_above(figure, axes.get_legend_handles_labels()[0])
    return figure


def draw_class_accuracies(axes,
                          runs: Sequence[ClassAccuracies],
                          classes: Sequence[str],
                          counts: np.ndarray,
                          colours: Sequence[str] = COLOURS) -> None:
    """Draw a bar for each class that has images, and for each run.

    Args:
        axes: Of matplotlib.
        runs (Sequence[ClassAccuracies]): Of the same C classes.
        classes (Sequence[str]): Their names.
        counts (np.ndarray): Of their images, shape ``(C, )``.
        colours (Sequence[str]): Of the runs, in their order.
    """
    order = class_order(runs)
    heights = np.arange(len(order))
    thickness = 0.8 / len(runs)
    for i, (run, colour) in enumerate(zip(runs, cycle(colours))):
        axes.barh(
            heights + (i + 0.5) * thickness - 0.4,
            run.accuracies[order],
            height=thickness,
            color=colour,
            label=as_label(f'{run.name}: {run.overall:.1f} %'))
    title = 'oracle: from target test labels'
    if len(runs) > 1:
        title += '\nright of the bars: last run minus first run (points)'
        for height, change in zip(heights, differences(runs)[order]):
            axes.text(101, height, f'{change:+.1f}', va='center', fontsize=9)
    axes.set_title(title, fontsize=10)
    axes.set_yticks(heights, [f'{classes[i]} ({counts[i]})' for i in order])
    axes.set_ylim(len(order) - 0.4, -0.6)
    axes.set_xlim(0, 100)
    axes.set_ylabel('class (number of images)')
    axes.set_xlabel('accuracy on the target test data (%)')
    _grid(axes)


def _grid(axes) -> None:
    axes.grid(axis='x', alpha=0.3)
    axes.set_axisbelow(True)
