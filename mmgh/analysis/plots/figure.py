from __future__ import annotations

from pathlib import Path
from typing import Sequence

import matplotlib

matplotlib.use('Agg')
from matplotlib import font_manager, pyplot  # noqa: E402

# Fonts with Chinese, Japanese or Korean letters, which matplotlib's own lacks.
EAST_ASIAN_FONTS = (
    'Noto Sans CJK SC', 'Noto Sans CJK JP', 'Noto Sans CJK KR',
    'Source Han Sans SC', 'Source Han Sans', 'WenQuanYi Micro Hei',
    'WenQuanYi Zen Hei', 'IPAexGothic', 'NanumGothic', 'Droid Sans Fallback',
    'PingFang SC', 'Hiragino Sans GB', 'Hiragino Sans', 'Apple SD Gothic Neo',
    'Microsoft YaHei', 'SimHei', 'Yu Gothic', 'Malgun Gothic',
    'Arial Unicode MS')


def show_names_as_they_are() -> None:
    """Let names have dollar signs, which else begin a formula, and letters
    of any font in the list that is installed."""
    installed = set(font_manager.get_font_names())
    families = pyplot.rcParams['font.family']
    pyplot.rcParams['font.family'] = [
        *families, *(font for font in EAST_ASIAN_FONTS
                     if font in installed and font not in families)]
    pyplot.rcParams['text.parse_math'] = False


show_names_as_they_are()


def legend_above(figure, handles: Sequence) -> None:
    """In as many columns as the names leave room for.

    Args:
        figure: Of matplotlib.
        handles (Sequence): What has a colour and a label.
    """
    labels = [handle.get_label() for handle in handles]
    letters = 11 * figure.get_figwidth()
    columns = int(letters / (8 + max(map(len, labels))))
    figure.legend(
        handles=handles,
        loc='outside upper center',
        ncols=max(1, min(columns, len(labels))))


def save(figure, path: str | Path) -> None:
    """Write a PNG, and free the figure."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
