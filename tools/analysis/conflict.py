"""Angles, conflict and weights of the tasks over a training, from its log.

    mmgh conflict WORK_DIR... --out conflict.png

A run is a work directory or a checkpoint. The CSV beside the picture has a
line for each run, pair of tasks and phase.
"""
from __future__ import annotations

import sys
from pathlib import Path

# What tools share is in the folder above.
sys.path.insert(0, str(Path(__file__).parents[1]))
# Before anything of OpenMMLab: it may repair an import of theirs.
import mmgh  # noqa: F401

# isort: split
from expected_errors import one_line_errors
from options import make_parser, positive

from mmgh.analysis import distinct_names
from mmgh.analysis.conflict import PairHistory, phases_of, read_pairs
from mmgh.analysis.plots import save
from mmgh.analysis.plots.conflict import conflict_figure
from mmgh.analysis.tables import write_csv
from mmgh.input_error import InputError

HEADER = ('run', 'phase', 'after iteration', 'to iteration', 'comparisons',
          'conflict rate (%)', 'mean angle (degrees)', 'task 1',
          'mean weight 1', 'max weight 1', 'task 2', 'mean weight 2',
          'max weight 2')


def rows(run: str, pair: PairHistory, number: int) -> list[tuple]:
    """Make the lines of the CSV."""
    lines = []
    for i, phase in enumerate(phases_of(pair, number), start=1):
        weights = [
            cell for task in pair.tasks for cell in (
                task, phase.mean_weights[task], phase.max_weights[task])
        ]
        lines.append((run, i, phase.start, phase.end, phase.comparisons,
                      100 * phase.conflict_rate, phase.angle, *weights))
    return lines


@one_line_errors(InputError)
def main() -> None:
    parser = make_parser(__doc__, out='conflict.png')
    parser.add_argument('runs', nargs='+', type=Path, help='harmonized runs')
    parser.add_argument(
        '--phases',
        type=positive,
        default=10,
        help='split each training in so many equal parts (default: 10)')
    args = parser.parse_args()
    named = dict(zip(distinct_names(args.runs), map(read_pairs, args.runs)))
    series, lines = {}, []
    for run, pairs in named.items():
        for pair in pairs:
            label = f"{run}: {', '.join(pair.tasks)}"
            series[label if len(pairs) > 1 else run] = [pair]
            with one_line_errors(InputError, about=run):
                lines += rows(run, pair, args.phases)
    save(conflict_figure(series, args.phases), args.out, args.dpi)
    table = args.out.with_suffix('.csv')
    write_csv(table, HEADER, lines)
    print(f'Plots: {args.out}\nNumbers: {table}')


if __name__ == '__main__':
    main()
