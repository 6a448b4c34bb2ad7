"""Conflict between tasks over a training."""
from __future__ import annotations

from itertools import cycle
from typing import Iterator, Sequence

from matplotlib.figure import Figure

from mmgh.analysis.conflict import (BIN_EDGES, PairHistory, angle_histogram,
                                    phases_of)
from .curves import SMOOTHING, draw_smooth, over_training
from .figure import as_label, legend, legend_above, names_as_they_are, subplots
from .palette import COLOURS, LINES, MARKERS

# Histories by what the legend calls them.
Series = dict[str, PairHistory]


@names_as_they_are()
def conflict_figure(series: Series,
                    phases: int,
                    colours: Sequence[str] = COLOURS) -> Figure:
    """Draw angles, conflict and weights of one or several runs.

    Args:
        series (dict[str, PairHistory]): By label.
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
    """Draw the share of the comparisons in each 5 degrees, as outlines."""
    for label, pair, colour in _coloured(series, colours):
        counts = angle_histogram(pair.angles)
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
    for label, pair, colour in _coloured(series, colours):
        draw_smooth(
            axes, pair.iterations, pair.angles, color=colour, label=label)
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
    for (label, pair, colour), marker in looks:
        parts = phases_of(pair, phases)
        axes.plot([(part.start + part.end) / 2 for part in parts],
                  [100 * part.conflict_rate for part in parts],
                  marker=marker,
                  color=colour,
                  label=label)
    axes.set_xlim(right=max(pair.total for pair in series.values()))
    axes.set_ylim(-2, 102)
    axes.set_title(f'each point is 1/{phases} of the training', fontsize=10)
    axes.set_ylabel('comparisons in conflict (%)')
    over_training(axes)


def draw_weights(axes, series: Series,
                 colours: Sequence[str] = COLOURS) -> None:
    """Draw the smoothed weight of each task over the training."""
    tasks = dict.fromkeys(
        task for pair in series.values() for task in pair.tasks)
    lines = dict(zip(tasks, cycle(LINES)))
    for _, pair, colour in _coloured(series, colours):
        for task, weights in pair.weights.items():
            draw_smooth(
                axes,
                pair.iterations,
                weights,
                color=colour,
                linestyle=lines[task])
    for task, line in lines.items():
        axes.plot([], [], color='grey', linestyle=line, label=as_label(task))
    legend(axes, axes.get_legend_handles_labels()[0], title='task')
    axes.set_title('without conflict a weight is 1', fontsize=10)
    axes.set_ylabel('weight of a task (factor of its loss),\n'
                    f'mean of up to {SMOOTHING} comparisons')
    over_training(axes)


def _coloured(
        series: Series,
        colours: Sequence[str]) -> Iterator[tuple[str, PairHistory, str]]:
    for (label, pair), colour in zip(series.items(), cycle(colours)):
        yield as_label(label), pair, colour
