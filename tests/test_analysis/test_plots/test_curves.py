"""Curves over a training."""
from __future__ import annotations

import numpy as np
import pytest

from mmgh.analysis.plots import draw_smooth, over_training, subplots


@pytest.mark.parametrize('count, window', [
    (1, 1), (19, 1), (20, 2), (100, 10), (499, 49), (500, 50), (9000, 50)])
def test_short_runs_are_smoothed_less(count, window):
    _, axes = subplots()
    values = np.random.RandomState(0).rand(count)
    draw_smooth(axes, np.arange(1, count + 1), values)
    steps, smooth = axes.lines[0].get_data()
    assert (steps[0], steps[-1]) == (window, count)
    assert smooth[0] == pytest.approx(values[:window].mean())
    assert smooth[-1] == pytest.approx(values[-window:].mean())


def test_iterations_are_whole_numbers():
    _, axes = subplots()
    axes.plot([1, 2, 3], [1, 2, 3])
    over_training(axes)
    ticks = axes.get_xticks()
    assert axes.get_xlim()[0] == 0
    assert all(tick == round(tick) for tick in ticks)
