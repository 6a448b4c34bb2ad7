"""Plots of a study."""
from __future__ import annotations

import statistics
from collections import defaultdict
from pathlib import Path

from mmgh.analysis.plots import (COLOURS, MARKERS, as_label, legend,
                                 names_as_they_are, save, subplots)
from .contrast import contrast
from .results import Setting, metric_name


def by_pair(settings: list[Setting]) -> dict[str, list[Setting]]:
    groups = defaultdict(list)
    for setting in settings:
        groups[setting.pair].append(setting)
    return groups


@names_as_they_are()
def plot(settings: list[Setting], names: list[str], path: Path, label: str,
         draw) -> None:
    """Draw a panel per pair, a line per method, a colour per harmonizer.

    Args:
        settings: What to draw.
        names: All harmonizers, so that each has one colour in all plots.
        path: PNG to write.
        label: Of what is measured.
        draw: Called with axes, setting, height and style.
    """
    groups = by_pair(settings)
    methods = list(dict.fromkeys(s.method for s in settings))
    height = 1.5 + (0.2 + 0.1 * len(names)) * len(methods)
    figure, panels = subplots(
        1,
        len(groups),
        sharey=True,
        squeeze=False,
        figsize=(2 + 4 * len(groups), height))
    for axes, (pair, group) in zip(panels[0], groups.items()):
        for setting in group:
            number = names.index(setting.harmonizer)
            offset = (number + 0.5) / len(names) - 0.5
            draw(axes, setting, methods.index(setting.method) + 0.7 * offset,
                 dict(color=COLOURS[number % len(COLOURS)],
                      marker=MARKERS[number % len(MARKERS)],
                      label=as_label(setting.harmonizer)))
        axes.set_title(pair)
        axes.set_xlabel(label)
        axes.grid(alpha=0.3)
    panels[0, 0].set_yticks(range(len(methods)), methods)
    panels[0, 0].set_ylim(len(methods) - 0.5, -0.5)
    handles = {}
    for axes in panels[0]:
        handles.update(zip(*axes.get_legend_handles_labels()[::-1]))
    legend(
        figure, list(handles.values()), loc='outside lower center', ncols=6)
    save(figure, path)


def plot_accuracies(settings: list[Setting], path: Path) -> None:
    """Draw each run, and the means."""
    plot(settings, harmonizers(settings), path,
         f'target {metric_name(settings)}', draw_accuracies)


def draw_accuracies(axes, setting, height, style) -> None:
    values = setting.values('accuracy')
    axes.plot(values, [height] * len(values), '.', alpha=0.5,
              color=style['color'])
    axes.plot(
        statistics.mean(values), height, linestyle='', markersize=5, **style)


def plot_differences(settings: list[Setting], path: Path) -> None:
    """Draw the intervals; no plot if there are none."""
    changed = [s for s in settings if contrast([s], settings).baseline]
    path.unlink(missing_ok=True)

    def draw_difference(axes, setting, height, style) -> None:
        change = contrast([setting], settings).baseline.interval
        axes.axvline(0, color='grey', linewidth=1)
        axes.errorbar(
            change.mean,
            height,
            xerr=change.high - change.mean,
            linestyle='',
            capsize=3,
            markersize=5,
            **style)

    if changed:
        plot(changed, harmonizers(settings), path,
             'difference to the baseline\n(points, 95 % interval)',
             draw_difference)


def harmonizers(settings: list[Setting]) -> list[str]:
    return list(dict.fromkeys(s.harmonizer for s in settings))
