from __future__ import annotations

import numpy as np

# Scalars of single iterations are noisy.
SMOOTHING = 50


def moving_average(values: np.ndarray, window: int) -> np.ndarray:
    """Means of `window` values in a row; of all values if they are fewer."""
    window = min(window, len(values))
    return np.convolve(values, np.ones(window) / window, 'valid')


def draw_smooth(axes, iterations: np.ndarray, values: np.ndarray,
                **style) -> None:
    """A curve of means of 50 values, each at the iteration of the last one.

    Args:
        axes: Of matplotlib.
        iterations (np.ndarray): Shape ``(N, )``.
        values (np.ndarray): Shape ``(N, )``.
        **style: Of the line.
    """
    smooth = moving_average(values, SMOOTHING)
    axes.plot(iterations[-len(smooth):], smooth, **style)
