from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use('Agg')
from matplotlib import pyplot  # noqa: E402


def legend_above(figure, axes) -> None:
    """What is in the axes, in as many columns as the names leave room for."""
    handles, labels = axes.get_legend_handles_labels()
    letters = 11 * figure.get_figwidth()
    columns = int(letters / (8 + max(map(len, labels))))
    figure.legend(
        handles,
        labels,
        loc='outside upper center',
        ncols=max(1, min(columns, len(labels))))


def save(figure, path: str | Path) -> None:
    """Write a PNG, and free the figure."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
