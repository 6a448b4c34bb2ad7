from __future__ import annotations

from typing import Sequence

import numpy as np

# Iterations and values, each of shape ``(N, )``.
Curve = tuple[np.ndarray, np.ndarray]

# Scalars of single iterations are noisy.
SMOOTHING = 50


def smoothing_window(count: int) -> int:
    """Return how many of `count` values in a row become one: a tenth of
    them, at most 50."""
    return min(SMOOTHING, max(1, count // 10))


def moving_average(values: np.ndarray, window: int) -> np.ndarray:
    """Return the means of `window` values in a row; of all values if they
    are fewer."""
    window = min(window, len(values))
    return np.convolve(values, np.ones(window) / window, 'valid')


def draw_smooth(axes, iterations: np.ndarray, values: np.ndarray,
                **style) -> None:
    """Draw a curve of running means, see :func:`smoothing_window`; each
    stands at the iteration of its last value.

    Args:
        axes: Of matplotlib.
        iterations (np.ndarray): Shape ``(N, )``.
        values (np.ndarray): Shape ``(N, )``.
        **style: Of the line.
    """
    axes.plot(*smoothed(iterations, values), **style)


def smoothed(iterations: np.ndarray, values: np.ndarray) -> Curve:
    """Return running means, see :func:`smoothing_window`, each at the
    iteration of its last value.

    Args:
        iterations (np.ndarray): Shape ``(N, )``.
        values (np.ndarray): Shape ``(N, )``.
    """
    smooth = moving_average(values, smoothing_window(len(values)))
    return iterations[-len(smooth):], smooth


def draw_seeds(axes, curves: Sequence[Curve], **style) -> None:
    """Draw what was measured with several seeds: a thin line each, and their
    mean where all have a value; with one seed a line as any other.

    Args:
        axes: Of matplotlib.
        curves (Sequence[Curve]): One a seed.
        **style: Of the mean.
    """
    if len(curves) > 1:
        for curve in curves:
            axes.plot(*curve, color=style.get('color'), linewidth=0.7,
                      alpha=0.45)
        axes.plot(*mean_curve(curves), **{'linewidth': 2., **style})
    elif curves:
        axes.plot(*curves[0], **style)


def mean_curve(curves: Sequence[Curve]) -> Curve:
    """Return the mean of curves at the iterations that all of them have."""
    by_iteration = [dict(zip(map(float, iterations), values))
                    for iterations, values in curves]
    common = sorted(set.intersection(*map(set, by_iteration)))
    return np.array(common), np.array(
        [np.mean([values[iteration] for values in by_iteration])
         for iteration in common])


def over_training(axes) -> None:
    """Make the horizontal axis that of the iterations; after drawing."""
    axes.set_xlabel('training iteration')
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_xlim(left=0)
    axes.grid(alpha=0.3)
