"""Which metric without target labels ranks checkpoints as accuracy does?

    mmgh rank-correlation WORK_DIR... --out ranks.png

Takes all validations that the runs logged. They should be on the same images:
on others the metrics have other scales. Spearman's rank correlation is
positive where a metric is right, also if lower values of it are better. The
last columns tell the true accuracy of the checkpoint that a metric chooses.
The CSV beside the picture has the same numbers.
"""
from __future__ import annotations

import sys
from math import isfinite, nan
from pathlib import Path
from typing import Collection

# What tools share is in the folder above.
sys.path.insert(0, str(Path(__file__).parents[1]))
# Before anything of OpenMMLab: it may repair an import of theirs.
import mmgh  # noqa: F401

# isort: split
from expected_errors import one_line_errors
from options import make_parser

from mmgh.analysis.plots import save
from mmgh.analysis.plots.rank_correlation import rank_figure
from mmgh.analysis.rank_correlation import (PREFIXES, Agreement, Validations,
                                            agreements, read_validations)
from mmgh.analysis.runs import distinct_names, setting_names
from mmgh.analysis.tables import markdown_table, spread, write_csv
from mmgh.analysis.units import unit_of
from mmgh.evaluation import UnsupervisedMetric
from mmgh.input_error import InputError

HEADER = ('metric', 'rank correlation within runs', 'over all',
          'accuracy chosen within runs (%)', 'over all (%)')


def rows(found: dict[str, Agreement],
         runs: list[Validations]) -> dict[str, Agreement]:
    """Return those of the metrics, and of two that choose without them."""
    best = [float(run.oracle.max()) for run in runs]
    last = [float(run.oracle[-1]) for run in runs]
    return {
        **found,
        'last checkpoint': Agreement(nan, nan, last, nan),
        'best checkpoint (oracle)': Agreement(nan, nan, best, max(best)),
    }


def table(lines: dict[str, Agreement]) -> str:
    """Write Markdown; a dash for what is undefined."""
    return markdown_table(HEADER, [(
        name,
        number(line.within_runs, '+.2f'),
        number(line.over_all, '+.2f'),
        spread(line.chosen_within_runs),
        number(line.chosen_over_all, '.1f'),
    ) for name, line in lines.items()])


def csv_rows(lines: dict[str, Agreement]) -> list[tuple]:
    """Make lines as in the table, with the mean of the accuracies."""
    return [(name, line.within_runs, line.over_all,
             sum(line.chosen_within_runs) / len(line.chosen_within_runs)
             if line.chosen_within_runs else nan, line.chosen_over_all)
            for name, line in lines.items()]


def labels(found: dict[str, Agreement],
           lower_is_better: Collection[str]) -> dict[str, str]:
    """Write those of the panels."""
    texts = {}
    for name, line in found.items():
        lower = name.split('/')[-1] in lower_is_better
        notes = [unit_of(name), 'lower is better' if lower else '']
        text = ', '.join(filter(None, notes))
        texts[name] = (f'{name}{text and f" ({text})"}\nrank correlation '
                       f'over all: {number(line.over_all, "+.2f")}')
    return texts


def number(value: float, form: str) -> str:
    return format(value, form) if isfinite(value) else '-'


@one_line_errors(InputError)
def main() -> None:
    parser = make_parser(__doc__, out='rank_correlation.png')
    parser.add_argument('runs', nargs='+', type=Path, help='work directories')
    parser.add_argument(
        '--oracle',
        default='oracle/accuracy/top1',
        help='name of the true accuracy in the log, such as accuracy/top1 '
        '(default: oracle/accuracy/top1)')
    parser.add_argument(
        '--metrics',
        nargs='+',
        help='how the names of the metrics begin in the log (default: '
        'unsupervised/ source/)')
    parser.add_argument(
        '--lower-is-better',
        nargs='+',
        default=[],
        help='last parts of the names of further metrics for which this is '
        'so, such as loss')
    args = parser.parse_args()
    distinct_names(args.runs)
    lower = {*UnsupervisedMetric.lower_is_better, *args.lower_is_better}
    runs = [
        read_validations(path, args.oracle, args.metrics or PREFIXES)
        for path in args.runs
    ]
    groups: dict[str, list[Validations]] = {}
    for name, run in zip(setting_names(args.runs), runs):
        groups.setdefault(name, []).append(run)
    found = agreements(runs, lower)
    lines = rows(found, runs)
    print(table(lines))
    save(rank_figure(groups, labels(found, lower), args.oracle), args.out,
         args.dpi)
    numbers = args.out.with_suffix('.csv')
    write_csv(numbers, HEADER, csv_rows(lines))
    print(f'Plots: {args.out}\nNumbers: {numbers}')


if __name__ == '__main__':
    main()
