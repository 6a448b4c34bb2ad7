"""Tables in Markdown, and the numbers in them."""
from __future__ import annotations

import statistics
from typing import Sequence


def markdown_table(header: Sequence[str],
                   rows: Sequence[Sequence[str]],
                   text_columns: int = 1) -> str:
    """A table whose columns are aligned in plain text, too.

    Args:
        header (Sequence[str]): Names of the columns.
        rows (Sequence[Sequence[str]]): Cells.
        text_columns (int): How many of the first columns are text; numbers
            are set to the right. Defaults to 1.
    """
    rule = ['---'] * text_columns + ['---:'] * (len(header) - text_columns)
    lines = [header, rule, *rows]
    widths = [max(map(len, column)) for column in zip(*lines)]
    return '\n'.join('| ' + ' | '.join(
        cell.ljust(width) for cell, width in zip(line, widths)) + ' |'
                     for line in lines)


def spread(values: Sequence[float]) -> str:
    """Mean, and standard deviation if there are several values; a dash if
    there is none."""
    if not values:
        return '-'
    text = f'{statistics.mean(values):.1f}'
    if len(values) > 1:
        text += f' ± {statistics.stdev(values):.1f}'
    return text
