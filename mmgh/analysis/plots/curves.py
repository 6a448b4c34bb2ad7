from __future__ import annotations

import numpy as np

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
    smooth = moving_average(values, smoothing_window(len(values)))
    axes.plot(iterations[-len(smooth):], smooth, **style)


def over_training(axes) -> None:
    """Make the horizontal axis that of the iterations; after drawing."""
    axes.set_xlabel('training iteration')
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_xlim(left=0)
    axes.grid(alpha=0.3)
