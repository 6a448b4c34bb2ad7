"""Names in pictures are shown as they are, and matplotlib stays as it is."""
from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
from matplotlib import font_manager

from mmgh.analysis.plots import legend_above, names_as_they_are, save, subplots
from mmgh.analysis.plots.bars import a_distance_figure
from mmgh.analysis.plots.figure import EAST_ASIAN_FONTS

IMPORT_ALL = '''
import importlib, pkgutil, sys
import matplotlib
matplotlib.use('svg')
before = dict(matplotlib.rcParams)
plots = importlib.import_module('mmgh.analysis.plots')
for module in pkgutil.iter_modules(plots.__path__):
    importlib.import_module(f'mmgh.analysis.plots.{module.name}')
assert dict(matplotlib.rcParams) == before
assert matplotlib.get_backend() == 'svg'
assert 'matplotlib.pyplot' not in sys.modules
'''


def test_import_changes_nothing_of_matplotlib():
    """Neither the settings nor the back end of the process."""
    result = subprocess.run([sys.executable, '-c', IMPORT_ALL],
                            cwd=Path(__file__).parents[3],
                            capture_output=True,
                            text=True)
    assert result.returncode == 0, result.stderr


def test_drawing_changes_nothing_of_matplotlib(tmp_path):
    before = dict(matplotlib.rcParams)
    save(a_distance_figure(dict(dann=[1., 2.])), tmp_path / 'new/a.png')
    assert dict(matplotlib.rcParams) == before
    assert (tmp_path / 'new/a.png').read_bytes().startswith(b'\x89PNG')


def test_ticks_have_the_letters_of_names(tmp_path):
    """They are drawn when a figure is saved."""
    figure = a_distance_figure({'$a$': [1.], r'$\no_formula$': [1.]})
    save(figure, tmp_path / 'a.png')
    labels = figure.axes[0].get_yticklabels()
    assert [label.get_text() for label in labels] == ['$a$', r'$\no_formula$']
    assert not any(label.get_parse_math() for label in labels)


@names_as_they_are()
def drawn(text: str) -> np.ndarray:
    figure = subplots(figsize=(2, 1))[0]
    figure.clear()
    figure.text(0.1, 0.5, text)
    figure.canvas.draw()
    return np.array(figure.canvas.buffer_rgba())


def test_dollar_signs_are_no_formula():
    """Which would be in italics, without the signs, or an error."""
    assert not np.array_equal(drawn('$a$'), drawn('a'))
    drawn(r'$\no_formula$')


def test_fonts_are_installed():
    with names_as_they_are(), names_as_they_are():
        families = matplotlib.rcParams['font.family']
    known = {'sans-serif', *font_manager.get_font_names()}
    assert families[0] == 'sans-serif' and known.issuperset(families)
    assert len(set(families)) == len(families)


@pytest.mark.skipif(
    not set(EAST_ASIAN_FONTS) & set(font_manager.get_font_names()),
    reason='no font with these letters')
def test_east_asian_letters_are_drawn():
    with warnings.catch_warnings():
        warnings.simplefilter('error')  # a missing glyph is a warning
        assert not np.array_equal(drawn('自行车'), drawn('笔记本'))


@pytest.mark.parametrize('letters', [4, 60])
def test_legends_have_room_for_long_names(letters):
    figure, axes = subplots(figsize=(8, 4))
    lines = [axes.plot([1, 2], label=f'{i}' * letters)[0] for i in range(4)]
    legend_above(figure, lines)
    figure.canvas.draw()
    box = figure.legends[0].get_window_extent()
    assert box.x0 >= 0 and box.x1 <= figure.bbox.x1


BEGINNINGS = {'.png': b'\x89PNG', '.pdf': b'%PDF', '.svg': b'<?xml'}


@pytest.mark.parametrize('suffix', BEGINNINGS)
def test_same_figure_gives_the_same_file(suffix, tmp_path):
    contents = []
    for folder in ('a', 'b'):
        path = tmp_path / folder / f'picture{suffix}'
        save(a_distance_figure(dict(one=[0.5, 0.7], two=[1.])), path)
        contents.append(path.read_bytes())
    assert contents[0] == contents[1]
    assert contents[0].startswith(BEGINNINGS[suffix])


def test_dpi_makes_a_larger_png(tmp_path):
    figure = a_distance_figure(dict(one=[0.5]))
    sizes = []
    for dpi in (50, 100):
        save(figure, tmp_path / f'{dpi}.png', dpi)
        sizes.append(matplotlib.image.imread(tmp_path / f'{dpi}.png').shape)
    assert sizes[1][0] == 2 * sizes[0][0]
