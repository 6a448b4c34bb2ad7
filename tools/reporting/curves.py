"""Curves over the training: validation, losses, conflict."""
from __future__ import annotations

from typing import Callable

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mmgh.analysis.conflict import iterations_of
from mmgh.analysis.plots import (COLOURS, SMOOTHING, as_label, draw_smooth,
                                 legend_above, names_as_they_are,
                                 over_training, subplots)
from mmgh.analysis.plots.conflict import conflict_figure
from mmgh.analysis.units import unit_of
from .page import Picture, Section, picture_of
from .report_run import ReportRun

PHASES = 10


def validation(runs: list[ReportRun]) -> Section:
    names = list(dict.fromkeys(n for run in runs for n in run.validations))
    if not names:
        return Section('Validation', 'No run was validated in training.')

    def draw(axes, run: ReportRun, name: str, style: dict) -> None:
        if name in run.validations:
            curve = run.validations[name]
            axes.plot(list(curve), list(curve.values()), marker='.', **style)

    figure = _panels(runs, names, draw)
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

    def draw(axes, run: ReportRun, name: str, style: dict) -> None:
        values = run.trained.history.get(f'train/{name}')
        if values is not None:
            steps = iterations_of(len(values), run.trained.iteration)
            draw_smooth(axes, steps, values, **style)

    figure = _panels(runs, names, draw)
    return Section(
        'Losses', pictures=[
            picture_of(figure, 'Training losses, means of up to '
                       f'{SMOOTHING} iterations.')
        ])


def conflict(runs: list[ReportRun]) -> Section:
    plain = [run.name for run in runs if not run.pairs]
    text = (f'Trained without GHOptimWrapper, so without angles: '
            f"{', '.join(plain)}.") if plain else ''
    of_one_pair = [run for run in runs if len(run.pairs) == 1]
    pictures = [_conflict_of(of_one_pair)] if of_one_pair else []
    pictures += [
        _conflict_of([run], run.name) for run in runs if len(run.pairs) > 1
    ]
    return Section('Conflict', text, pictures=pictures)


def _conflict_of(runs: list[ReportRun], name: str = '') -> Picture:
    """Draw in the colours of the runs; one run with several pairs of tasks in
    those of the pairs."""
    series = {
        ', '.join(pair.tasks) if name else
        f"{run.name}: {', '.join(pair.tasks)}": pair
        for run in runs for pair in run.pairs
    }
    phases = min(PHASES, *(pair.total for pair in series.values()))
    colours = COLOURS if name else [run.colour for run in runs]
    caption = ('Angles between the gradients of the tasks, how often they '
               'conflict, and the weights that follow.')
    if name:
        caption = f'{name}, a colour for each pair of tasks. {caption}'
    return picture_of(conflict_figure(series, phases, colours), caption)


@names_as_they_are()
def _panels(runs: list[ReportRun], names: list[str],
            draw: Callable) -> Figure:
    """Draw a panel for each name, a colour for each run."""
    columns = min(3, len(names))
    lines = -(-len(names) // columns)
    figure, panels = subplots(
        lines,
        columns,
        squeeze=False,
        figsize=(max(5, 4 * columns), 0.6 + 3 * lines))
    for axes, name in zip(panels.flat, names):
        for run in runs:
            draw(axes, run, name, dict(color=run.colour))
        axes.set_title(name, fontsize=10)
        axes.set_ylabel(unit_of(name))
        over_training(axes)
    for axes in panels.flat[len(names):]:
        axes.set_axis_off()
    handles = [
        Line2D([], [], color=run.colour, label=as_label(run.name))
        for run in runs
    ]
    legend_above(figure, handles)
    return figure
