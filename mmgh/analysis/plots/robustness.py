"""Accuracy against the strength of the alignment."""
from __future__ import annotations

from itertools import cycle
from typing import NamedTuple, Sequence

from matplotlib.figure import Figure

from .figure import as_label, legend_above, names_as_they_are, subplots
from .palette import COLOURS, MARKERS


class Curve(NamedTuple):
    """Accuracies at N strengths."""

    strengths: Sequence[float]
    """Of the alignment, in ascending order; 1 as it was tuned."""
    means: Sequence[float]
    """Accuracies in percent."""
    lows: Sequence[float]
    highs: Sequence[float]


@names_as_they_are()
def robustness_figure(panels: dict[str, dict[str, Curve]]) -> Figure:
    """Make a picture of ``draw_robustness`` for each method.

    Args:
        panels (dict[str, dict[str, Curve]]): By title, then by harmonizer.
    """
    figure, axes = subplots(
        1, len(panels), figsize=(1 + 3.5 * len(panels), 4), squeeze=False)
    names = dict.fromkeys(name for curves in panels.values()
                          for name in curves)
    styles = dict(zip(names, (
        dict(color=colour, marker=marker)
        for colour, marker in zip(cycle(COLOURS), cycle(MARKERS)))))
    handles = {}
    for panel, (title, curves) in zip(axes[0], panels.items()):
        draw_robustness(panel, curves, styles)
        panel.set_title(title)
        handles.update(zip(*panel.get_legend_handles_labels()[::-1]))
    axes[0, 0].set_ylabel('target accuracy (%)')
    legend_above(figure, [handles[as_label(name)] for name in names])
    return figure


def draw_robustness(axes, curves: dict[str, Curve],
                    styles: dict[str, dict]) -> None:
    """Draw a line for each harmonizer, with a band for its interval.

    Args:
        axes: Of matplotlib.
        curves (dict[str, Curve]): By harmonizer.
        styles (dict[str, dict]): Colour and marker by harmonizer.
    """
    strengths = sorted({strength for curve in curves.values()
                        for strength in curve.strengths})
    axes.axvline(1, color='grey', linewidth=1, linestyle=':')
    for name, curve in curves.items():
        style = styles[name]
        axes.plot(curve.strengths, curve.means, label=as_label(name), **style)
        axes.fill_between(curve.strengths, curve.lows, curve.highs,
                          color=style['color'], alpha=0.15, linewidth=0)
    axes.set_xscale('log')
    axes.set_xticks(strengths, [f'{strength:g}' for strength in strengths])
    axes.minorticks_off()
    axes.set_xlabel('strength of the alignment\n(1: as it was tuned)')
    axes.grid(alpha=0.3)
