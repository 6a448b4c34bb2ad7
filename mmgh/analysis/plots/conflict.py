"""Conflict between tasks over a training."""
from __future__ import annotations

from itertools import cycle
from typing import Iterator, Sequence

import numpy as np
from matplotlib.figure import Figure

from mmgh.analysis.conflict import (BIN_EDGES, PairHistory, angle_histogram,
                                    phases_of)
from .curves import (SMOOTHING, Curve, draw_seeds, mean_curve, over_training,
                     smoothed)
from .figure import as_label, legend, legend_above, names_as_they_are, subplots
from .palette import COLOURS, LINES, MARKERS

# Histories by what the legend calls them, of each seed.
Series = dict[str, Sequence[PairHistory]]


@names_as_they_are()
def conflict_figure(series: Series,
                    phases: int,
                    colours: Sequence[str] = COLOURS) -> Figure:
    """Draw angles, conflict and weights of one or several runs.

    Args:
        series (dict[str, Sequence[PairHistory]]): By label, of each seed,
            which are thin lines beside their mean.
        phases (int): Into which each training is split.
        colours (Sequence[str]): Of the series, in their order.
    """
    figure, ((upper_left, upper_right), (lower_left, lower_right)) = (
        subplots(2, 2, figsize=(12, 8)))
    draw_angle_histogram(upper_left, series, colours)
    draw_angles(upper_right, series, colours)
    draw_conflict_rates(lower_left, series, phases, colours)
    draw_weights(lower_right, series, colours)
    legend_above(figure, upper_right.get_legend_handles_labels()[0])
    return figure


def draw_angle_histogram(axes,
                         series: Series,
                         colours: Sequence[str] = COLOURS) -> None:
    """Draw the share of the comparisons in each 5 degrees, as outlines, of
    all seeds together."""
    for label, pairs, colour in _coloured(series, colours):
        counts = sum(angle_histogram(pair.angles) for pair in pairs)
        axes.stairs(
            100 * counts / counts.sum(),
            BIN_EDGES,
            color=colour,
            linewidth=1.5,
            label=label)
    axes.axvline(90, color='grey', linestyle='--', linewidth=1)
    axes.set_xticks(range(0, 181, 30))
    axes.set_xlim(0, 180)
    axes.set_title('right of the dashed line the gradients conflict',
                   fontsize=10)
    axes.set_xlabel('angle between the task gradients (degrees)')
    axes.set_ylabel('share of comparisons in\neach 5 degrees (%)')
    axes.grid(alpha=0.3)


def draw_angles(axes, series: Series,
                colours: Sequence[str] = COLOURS) -> None:
    """Draw the smoothed angle over the training."""
    for label, pairs, colour in _coloured(series, colours):
        draw_seeds(
            axes, [smoothed(pair.iterations, pair.angles) for pair in pairs],
            color=colour, label=label)
    axes.axhline(90, color='grey', linestyle='--', linewidth=1)
    axes.set_title('above the dashed line the gradients conflict',
                   fontsize=10)
    axes.set_ylabel('angle between the task gradients,\n'
                    f'mean of up to {SMOOTHING} comparisons (degrees)')
    over_training(axes)


def draw_conflict_rates(axes,
                        series: Series,
                        phases: int,
                        colours: Sequence[str] = COLOURS) -> None:
    """Draw the conflict rate of each phase of the training, at its middle."""
    looks = zip(_coloured(series, colours), cycle(MARKERS))
    for (label, pairs, colour), marker in looks:
        draw_seeds(
            axes, [_conflict_rates(pair, phases) for pair in pairs],
            marker=marker, color=colour, label=label)
    axes.set_xlim(right=max(pair.total for pairs in series.values()
                            for pair in pairs))
    axes.set_ylim(-2, 102)
    axes.set_title(f'each point is 1/{phases} of the training', fontsize=10)
    axes.set_ylabel('comparisons in conflict (%)')
    over_training(axes)


def draw_weights(axes, series: Series,
                 colours: Sequence[str] = COLOURS) -> None:
    """Draw the smoothed weight of each task over the training, the mean of
    the seeds."""
    tasks = dict.fromkeys(task for pairs in series.values() for pair in pairs
                          for task in pair.tasks)
    lines = dict(zip(tasks, cycle(LINES)))
    for _, pairs, colour in _coloured(series, colours):
        for task in pairs[0].weights:
            curves = [smoothed(pair.iterations, pair.weights[task])
                      for pair in pairs]
            axes.plot(*mean_curve(curves), color=colour,
                      linestyle=lines[task])
    for task, line in lines.items():
        axes.plot([], [], color='grey', linestyle=line, label=as_label(task))
    legend(axes, axes.get_legend_handles_labels()[0], title='task')
    axes.set_title('without conflict a weight is 1', fontsize=10)
    axes.set_ylabel('weight of a task (factor of its loss),\n'
                    f'mean of up to {SMOOTHING} comparisons')
    over_training(axes)


def _conflict_rates(pair: PairHistory, phases: int) -> Curve:
    parts = phases_of(pair, phases)
    return (np.array([(part.start + part.end) / 2 for part in parts]),
            np.array([100 * part.conflict_rate for part in parts]))


def _coloured(
    series: Series, colours: Sequence[str]
) -> Iterator[tuple[str, Sequence[PairHistory], str]]:
    for (label, pairs), colour in zip(series.items(), cycle(colours)):
        yield as_label(label), pairs, colour
