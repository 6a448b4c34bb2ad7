"""Figures that leave pyplot and the settings of matplotlib alone."""
from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterator, Sequence

from matplotlib import font_manager, rc_context, rcParams
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

# Fonts with Chinese, Japanese or Korean letters, which matplotlib's own lacks.
EAST_ASIAN_FONTS = (
    'Noto Sans CJK SC', 'Noto Sans CJK JP', 'Noto Sans CJK KR',
    'Source Han Sans SC', 'Source Han Sans', 'WenQuanYi Micro Hei',
    'WenQuanYi Zen Hei', 'IPAexGothic', 'NanumGothic', 'Droid Sans Fallback',
    'PingFang SC', 'Hiragino Sans GB', 'Hiragino Sans', 'Apple SD Gothic Neo',
    'Microsoft YaHei', 'SimHei', 'Yu Gothic', 'Malgun Gothic',
    'Arial Unicode MS')

# Has no width.
_MARK = '\u200b'


@contextmanager
def names_as_they_are() -> Iterator[None]:
    """Let names have dollar signs, which else begin a formula, and letters
    of any font in the list that is installed.

    Also a decorator. A text takes these settings when it is made, that of a
    tick when the figure is drawn: both should happen within.
    """
    installed = set(font_manager.get_font_names())
    families = rcParams['font.family']
    with rc_context({
            'font.family': [
                *families, *(font for font in EAST_ASIAN_FONTS
                             if font in installed and font not in families)
            ],
            'text.parse_math': False
    }):
        yield


def subplots(rows: int = 1,
             columns: int = 1,
             figsize: tuple[float, float] | None = None,
             **options) -> tuple[Figure, Any]:
    """Make a figure and its axes, as pyplot does, but without a window.

    Args:
        rows (int): Of axes. Defaults to 1.
        columns (int): Of axes. Defaults to 1.
        figsize (tuple, optional): Width and height in inches. Defaults to
            None: matplotlib's.
        **options: Of matplotlib's ``Figure.subplots``.
    """
    figure = Figure(figsize=figsize, layout='constrained')
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns, **options)


def as_label(name: str) -> str:
    """Return a label that :func:`legend` shows as the name.

    Matplotlib leaves out labels that begin with an underscore.
    """
    return _MARK + name if name.startswith('_') else name


def legend(owner: Any, handles: Sequence, **options) -> None:
    """Draw a legend of all handles.

    Args:
        owner (Any): Figure or axes of matplotlib.
        handles (Sequence): What has a colour and a label, which
            :func:`as_label` gave it if it is a name.
        **options: Of matplotlib's ``legend``.
    """
    drawn = owner.legend(handles=handles, **options)
    for text in drawn.get_texts():
        text.set_text(text.get_text().removeprefix(_MARK))


def legend_above(figure: Figure, handles: Sequence) -> None:
    """Draw a legend in as many columns as the names leave room for.

    Args:
        figure (Figure): Of matplotlib.
        handles (Sequence): See :func:`legend`.
    """
    labels = [handle.get_label() for handle in handles]
    letters = 11 * figure.get_figwidth()
    columns = int(letters / (8 + max(map(len, labels))))
    legend(
        figure,
        handles,
        loc='outside upper center',
        ncols=max(1, min(columns, len(labels))))


@names_as_they_are()
def save(figure: Figure, path: str | Path, dpi: int = 120) -> None:
    """Write a picture; the same figure always gives the same file.

    Args:
        figure (Figure): Of matplotlib.
        path (str | Path): By its suffix a PNG, PDF or SVG.
        dpi (int): Pixels per inch of a PNG. Defaults to 120.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    without_date = {'.pdf': dict(CreationDate=None), '.svg': dict(Date=None)}
    # Text that can be searched, and edited, in fonts that journals take.
    with rc_context({'pdf.fonttype': 42, 'svg.hashsalt': path.stem}):
        figure.savefig(path, dpi=dpi, metadata=without_date.get(path.suffix))
