"""Names in pictures are shown as they are."""
from __future__ import annotations

import warnings

import numpy as np
import pytest
from matplotlib import font_manager

from mmgh.analysis.plots import pyplot
from mmgh.analysis.plots.figure import EAST_ASIAN_FONTS, legend_above


def drawn(text: str) -> np.ndarray:
    figure = pyplot.figure(figsize=(2, 1))
    figure.text(0.1, 0.5, text)
    figure.canvas.draw()
    pixels = np.array(figure.canvas.buffer_rgba())
    pyplot.close(figure)
    return pixels


def test_dollar_signs_are_no_formula():
    """Which would be in italics, without the signs, or an error."""
    assert not np.array_equal(drawn('$a$'), drawn('a'))
    drawn(r'$\no_formula$')


def test_fonts_are_installed():
    families = pyplot.rcParams['font.family']
    known = {'sans-serif', *font_manager.get_font_names()}
    assert families[0] == 'sans-serif' and known.issuperset(families)


@pytest.mark.skipif(
    not set(EAST_ASIAN_FONTS) & set(font_manager.get_font_names()),
    reason='no font with these letters')
def test_east_asian_letters_are_drawn():
    with warnings.catch_warnings():
        warnings.simplefilter('error')  # a missing glyph is a warning
        assert not np.array_equal(drawn('自行车'), drawn('笔记本'))


@pytest.mark.parametrize('letters', [4, 60])
def test_legends_have_room_for_long_names(letters):
    figure, axes = pyplot.subplots(figsize=(8, 4), layout='constrained')
    lines = [axes.plot([1, 2], label=f'{i}' * letters)[0] for i in range(4)]
    legend_above(figure, lines)
    figure.canvas.draw()
    box = figure.legends[0].get_window_extent()
    assert box.x0 >= 0 and box.x1 <= figure.bbox.x1
    pyplot.close(figure)
