"""Angle and accuracy of several runs over the training."""
from __future__ import annotations

from itertools import cycle

from matplotlib.figure import Figure

from mmgh.analysis.conflict import iterations_of
from mmgh.analysis.run_log import RunLog
from .curves import SMOOTHING, draw_smooth, over_training
from .figure import as_label, legend, names_as_they_are, subplots
from .palette import COLOURS


@names_as_they_are()
def comparison_figure(groups: dict[str, list[RunLog]]) -> Figure:
    """Draw angles above accuracies, in a colour for each setting.

    Args:
        groups (dict[str, list[RunLog]]): Runs by setting.
    """
    figure, (top, bottom) = subplots(2, 1, sharex=True, figsize=(8, 7))
    for (name, runs), colour in zip(groups.items(), cycle(COLOURS)):
        for i, run in enumerate(runs):
            style = dict(
                color=colour,
                label=as_label(name) if i == 0 else None,
                alpha=1 if len(runs) == 1 else 0.6)
            bottom.plot(run.steps, run.accuracies, marker='.', **style)
            draw_angle(top, run, **style)
    top.axhline(90, color='grey', linestyle='--', linewidth=1)
    top.set_ylabel('angle between the task gradients,\n'
                   f'mean of up to {SMOOTHING} comparisons (degrees)')
    top.set_title('above the dashed line the gradients conflict', fontsize=10)
    bottom.set_ylabel('accuracy on the target\ntest data (%)')
    for axes in (top, bottom):
        over_training(axes)
        handles, _ = axes.get_legend_handles_labels()
        if handles:
            legend(axes, handles)
    top.set_xlabel('')
    return figure


def draw_angle(axes, run: RunLog, **style) -> None:
    """Draw the angle of one pair of tasks, where a run logged it."""
    if 'train/angle' in run.history:
        angles = run.history['train/angle']
        last = len(run.history['train/time'])
        draw_smooth(axes, iterations_of(len(angles), last), angles, **style)
