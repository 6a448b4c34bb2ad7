"""What all plots share: colours, and the way to a file.

Importing it needs matplotlib, and chooses its back end that needs no screen.
"""
from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np

matplotlib.use('Agg')
from matplotlib import pyplot  # noqa: E402

# Okabe and Ito's colours can be told apart by the colour-blind.
COLOURS = [
    '#000000', '#E69F00', '#56B4E9', '#009E73', '#CC79A7', '#D55E00',
    '#0072B2', '#F0E442'
]
# With them, as many classes as wanted can be told apart.
MARKERS = ['o', 's', '^', 'D', 'v', 'P', 'X', '*', '<', '>']


def moving_average(values: np.ndarray, window: int) -> np.ndarray:
    """Means of `window` values in a row; of all values if they are fewer."""
    window = min(window, len(values))
    return np.convolve(values, np.ones(window) / window, 'valid')


def save(figure, path: str | Path) -> None:
    """Write a PNG, and free the figure."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
