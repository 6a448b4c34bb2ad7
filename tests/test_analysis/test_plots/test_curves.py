"""Curves over a training."""
from __future__ import annotations

import numpy as np
import pytest

from mmgh.analysis.plots import (draw_seeds, draw_smooth, over_training,
                                 subplots)


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


def test_seeds_are_thin_lines_and_their_mean():
    """Where all of them have a value: one may have been measured less."""
    _, axes = subplots()
    steps = np.arange(1, 5)
    curves = [(steps, steps * 1.), (steps[1:], steps[1:] * 3.)]
    draw_seeds(axes, curves, color='#0072b2', marker='.', label='a')
    *thin, mean = axes.lines
    assert [list(line.get_ydata()) for line in thin] == [
        list(values) for _, values in curves]
    assert list(mean.get_xdata()) == [2, 3, 4]
    assert list(mean.get_ydata()) == [4, 6, 8]
    assert {line.get_color() for line in axes.lines} == {'#0072b2'}
    assert all(line.get_linewidth() < mean.get_linewidth() for line in thin)
    assert axes.get_legend_handles_labels()[1] == ['a']


@pytest.mark.parametrize('curves', [[], [(np.arange(3), np.ones(3))]])
def test_one_seed_is_a_line_as_any_other(curves):
    _, axes = subplots()
    draw_seeds(axes, curves, color='black', linewidth=1)
    assert [line.get_linewidth() for line in axes.lines] == [1] * len(curves)
