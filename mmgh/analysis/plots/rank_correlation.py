"""Metrics without target labels against the true accuracy."""
from __future__ import annotations

from itertools import cycle
from math import ceil
from typing import Sequence

from matplotlib.figure import Figure

from mmgh.analysis.rank_correlation import Validations, values_of
from .figure import as_label, legend_above, names_as_they_are, subplots
from .palette import COLOURS, MARKERS

_COLUMNS = 3


@names_as_they_are()
def rank_figure(groups: dict[str, list[Validations]],
                labels: dict[str, str], oracle: str) -> Figure:
    """Draw a panel for each metric, and a point for each checkpoint.

    Args:
        groups (dict[str, list[Validations]]): Runs by name.
        labels (dict[str, str]): Of the panels, by metric.
        oracle (str): Name of the true accuracy.
    """
    columns = min(_COLUMNS, len(labels))
    rows = ceil(len(labels) / columns)
    figure, panels = subplots(
        rows,
        columns,
        squeeze=False,
        sharey=True,
        figsize=(1 + 3.6 * columns, 1 + 3.3 * rows))
    for axes, (metric, label) in zip(panels.flat, labels.items()):
        draw_metric(axes, groups, metric)
        axes.set_xlabel(label)
    for axes in panels.flat[len(labels):]:
        axes.remove()
    figure.supylabel(f'{oracle} (%)', fontsize=10)
    legend_above(figure, panels[0][0].get_legend_handles_labels()[0])
    return figure


def draw_metric(axes, groups: dict[str, Sequence[Validations]],
                metric: str) -> None:
    """Draw the checkpoints of all runs: the metric, and the true accuracy.

    Args:
        axes: Of matplotlib.
        groups (dict[str, Sequence[Validations]]): Runs by name.
        metric (str): Its name in the log.
    """
    looks = zip(cycle(COLOURS), cycle(MARKERS))
    for (name, runs), (colour, marker) in zip(groups.items(), looks):
        for i, run in enumerate(runs):
            axes.scatter(
                values_of(run, metric),
                run.oracle,
                s=18,
                alpha=0.7,
                linewidths=0,
                color=colour,
                marker=marker,
                label=as_label(name) if i == 0 else None)
    axes.locator_params(axis='x', nbins=5)
    axes.grid(alpha=0.3)
