"""Matrices of classes that are taken for others."""
from __future__ import annotations

import numpy as np
import pytest

from mmgh.analysis.plots.confusion import confusion_figure

NAMES = ('f1', 'photos -> drawings, CDAN+E, GH++, seed 10',
         'a_name_that_is_long_and_has_no_place_to_break_it_at_all')


@pytest.mark.parametrize('classes', [2, 3, 31])
@pytest.mark.parametrize('runs', [1, 3])
def test_titles_leave_each_other_and_the_colour_bar_alone(classes, runs):
    names = NAMES if runs == 3 else NAMES[1:2]
    figure = confusion_figure(
        {name: np.full((classes, classes), 100 / classes) for name in names},
        [f'class {i}' for i in range(classes)])
    figure.canvas.draw()
    *panels, bar = figure.axes
    assert len(panels) == runs
    boxes = [axes.title.get_window_extent() for axes in panels]
    boxes.append(bar.get_tightbbox())
    for left, right in zip(boxes, boxes[1:]):
        assert left.x1 < right.x0
    assert all(box.x0 >= 0 for box in boxes)
