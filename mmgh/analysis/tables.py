"""Tables in Markdown, and the numbers in them."""
from __future__ import annotations

import csv
import statistics
from pathlib import Path
from typing import Iterable, Sequence


def markdown_table(header: Sequence[str],
                   rows: Sequence[Sequence[str]],
                   text_columns: int = 1) -> str:
    """Write a table whose columns are aligned in plain text, too.

    Args:
        header (Sequence[str]): Names of the columns.
        rows (Sequence[Sequence[str]]): Cells.
        text_columns (int): How many of the first columns are text; numbers
            are set to the right. Defaults to 1.
    """
    rule = ['---'] * text_columns + ['---:'] * (len(header) - text_columns)
    lines = [[cell.replace('|', '\\|') for cell in line]
             for line in (header, rule, *rows)]
    widths = [max(map(len, column)) for column in zip(*lines)]
    return '\n'.join('| ' + ' | '.join(
        cell.ljust(width) for cell, width in zip(line, widths)) + ' |'
                     for line in lines)


def spread(values: Sequence[float], digits: int = 1) -> str:
    """Write the mean, and the standard deviation if there are several values;
    a dash if there is none."""
    if not values:
        return '-'
    text = f'{statistics.mean(values):.{digits}f}'
    if len(values) > 1:
        text += f' ± {statistics.stdev(values):.{digits}f}'
    return text


def write_csv(path: Path, header: Sequence[str],
              rows: Iterable[Sequence]) -> None:
    """Write a table; NaN, a number that there is not, as an empty cell."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, 'w', newline='', encoding='utf-8') as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(
            ['' if cell != cell else cell for cell in row] for row in rows)
