"""Curves over the training: validation, losses, conflict.

Runs of one name are of several seeds: thin lines beside their mean.
"""
from __future__ import annotations

from typing import Callable, Iterable

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mmgh.analysis.conflict import PairHistory, iterations_of
from mmgh.analysis.plots import (COLOURS, SMOOTHING, as_label, draw_seeds,
                                 legend_above, names_as_they_are,
                                 over_training, smoothed, subplots)
from mmgh.analysis.plots.conflict import conflict_figure
from mmgh.analysis.plots.curves import Curve
from mmgh.analysis.units import unit_of
from .page import Picture, Section, picture_of
from .report_run import ReportRun

PHASES = 10


def validation(runs: list[ReportRun]) -> Section:
    names = list(dict.fromkeys(n for run in runs for n in run.validations))
    if not names:
        return Section('Validation', 'No run was validated in training.')

    def measured(run: ReportRun, name: str) -> Curve | None:
        found = run.validations.get(name)
        return found and (np.array([*found]), np.array([*found.values()]))

    figure = _panels(runs, names, measured, marker='.')
    return Section(
        'Validation', pictures=[
            picture_of(figure, 'What validation measured in training. '
                       'Accuracies of the target use its labels.')
        ])


def losses(runs: list[ReportRun]) -> Section:
    names = list(
        dict.fromkeys(
            name.split('/', 1)[1] for run in runs
            for name in run.trained.history
            if name.startswith('train/') and 'loss' in name))

    def measured(run: ReportRun, name: str) -> Curve | None:
        values = run.trained.history.get(f'train/{name}')
        return None if values is None else smoothed(
            iterations_of(len(values), run.trained.iteration), values)

    figure = _panels(runs, names, measured)
    return Section(
        'Losses', pictures=[
            picture_of(figure, 'Training losses, means of up to '
                       f'{SMOOTHING} iterations.')
        ])


def conflict(runs: list[ReportRun]) -> Section:
    plain = list(_by_name(run for run in runs if not run.pairs))
    text = (f'Trained without GHOptimWrapper, so without angles: '
            f"{', '.join(plain)}.") if plain else ''
    of_one_pair = [run for run in runs if len(run.pairs) == 1]
    pictures = [_conflict_of(of_one_pair)] if of_one_pair else []
    of_several = _by_name(run for run in runs if len(run.pairs) > 1)
    pictures += [_conflict_of(group, name)
                 for name, group in of_several.items()]
    return Section('Conflict', text, pictures=pictures)


def _conflict_of(runs: list[ReportRun], name: str = '') -> Picture:
    """Draw in the colours of the runs; those of one name with several pairs
    of tasks in those of the pairs."""
    series: dict[str, list[PairHistory]] = {}
    for run in runs:
        for pair in run.pairs:
            tasks = ', '.join(pair.tasks)
            label = tasks if name else f'{run.name}: {tasks}'
            series.setdefault(label, []).append(pair)
    phases = min(PHASES, *(pair.total for run in runs for pair in run.pairs))
    colours = COLOURS if name else [
        group[0].colour for group in _by_name(runs).values()]
    caption = ('Angles between the gradients of the tasks, how often they '
               'conflict, and the weights that follow.')
    if name:
        caption = f'{name}, a colour for each pair of tasks. {caption}'
    return picture_of(conflict_figure(series, phases, colours), caption)


@names_as_they_are()
def _panels(runs: list[ReportRun], names: list[str],
            measured: Callable[[ReportRun, str], Curve | None],
            **style) -> Figure:
    """Draw a panel for each name of what was measured, and in it each run;
    those of one name, several seeds, with their mean."""
    columns = min(3, len(names))
    lines = -(-len(names) // columns)
    figure, panels = subplots(
        lines,
        columns,
        squeeze=False,
        figsize=(max(5, 4 * columns), 0.6 + 3 * lines))
    for axes, name in zip(panels.flat, names):
        for group in _by_name(runs).values():
            curves = (measured(run, name) for run in group)
            draw_seeds(axes, [curve for curve in curves if curve],
                       color=group[0].colour, **style)
        axes.set_title(name, fontsize=10)
        axes.set_ylabel(unit_of(name))
        over_training(axes)
    for axes in panels.flat[len(names):]:
        axes.set_axis_off()
    handles = [
        Line2D([], [], color=group[0].colour, label=as_label(name))
        for name, group in _by_name(runs).items()
    ]
    legend_above(figure, handles)
    return figure


def _by_name(runs: Iterable[ReportRun]) -> dict[str, list[ReportRun]]:
    groups: dict[str, list[ReportRun]] = {}
    for run in runs:
        groups.setdefault(run.name, []).append(run)
    return groups
