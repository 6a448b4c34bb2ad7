"""Which classes are taken for which."""
from __future__ import annotations

import textwrap
from typing import Sequence

import numpy as np
from matplotlib.figure import Figure

from .figure import names_as_they_are, subplots

# More numbers than these cannot be read.
_MOST_NUMBERS = 12
# Of a title, in an inch.
_LETTERS = 11


@names_as_they_are()
def confusion_figure(matrices: dict[str, np.ndarray],
                     classes: Sequence[str]) -> Figure:
    """Make a picture of ``draw_confusion``, with a panel for each run.

    Args:
        matrices (dict[str, np.ndarray]): Of each run, see
            :func:`mmgh.analysis.per_class.confusion`.
        classes (Sequence[str]): Names of the C classes.
    """
    # In inches; few classes leave room for the titles nevertheless.
    side = 2.5 + min(max(0.3 * len(classes), 2), 12)
    figure, panels = subplots(
        1, len(matrices), squeeze=False, figsize=(side * len(matrices), side))
    for axes, (name, matrix) in zip(panels[0], matrices.items()):
        image = draw_confusion(axes, matrix, classes)
        title = textwrap.fill(name, int(_LETTERS * (side - 1.7)))
        axes.set_title(
            f'{title}\noracle: from target test labels', fontsize=10)
    figure.colorbar(
        image, ax=panels[0].tolist(), shrink=0.8,
        label='share of the images of a class (%)')
    return figure


def draw_confusion(axes, matrix: np.ndarray, classes: Sequence[str]):
    """Draw a row for each class, and a column for each that it is taken for.

    Args:
        axes: Of matplotlib.
        matrix (np.ndarray): Percent, shape ``(C, C)``; rows of classes
            without images are NaN, and left empty.
        classes (Sequence[str]): Names.

    Returns:
        What ``Axes.imshow`` returns.
    """
    image = axes.imshow(matrix, cmap='Blues', vmin=0, vmax=100)
    size = 9 if len(classes) <= 40 else 5
    axes.set_xticks(
        range(len(classes)), classes, rotation=90, fontsize=size)
    axes.set_yticks(range(len(classes)), classes, fontsize=size)
    axes.set_xlabel('predicted')
    axes.set_ylabel('class')
    if len(classes) <= _MOST_NUMBERS:
        _write_numbers(axes, matrix)
    return image


def _write_numbers(axes, matrix: np.ndarray) -> None:
    for (row, column), share in np.ndenumerate(matrix):
        if share >= 0.5:  # neither NaN nor what would be 0
            axes.text(
                column, row, f'{share:.0f}', ha='center', va='center',
                fontsize=8, color='white' if share > 50 else 'black')
