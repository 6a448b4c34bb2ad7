"""A study's table and plots, from its CSV.

    mmgh study-report work_dirs/study/study.csv

writes study.md, accuracies.png and differences.png beside it, or to --out; and
robustness.png of methods in several strengths.
"""
from __future__ import annotations

import argparse
import sys
from pathlib import Path

# What tools share is in the folder above.
sys.path.insert(0, str(Path(__file__).parents[1]))
# Before anything of OpenMMLab: it may repair an import of theirs.
import mmgh  # noqa: F401

# isort: split
from expected_errors import one_line_errors
from studying.report import report
from studying.results import read_runs, settings_of

from mmgh.input_error import InputError


@one_line_errors(InputError)
def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('csv', type=Path, help='study.csv of `mmgh study`')
    parser.add_argument(
        '--out', type=Path, help='folder to write to (default: that of csv)')
    args = parser.parse_args()
    report(settings_of(read_runs(args.csv)), args.out or args.csv.parent)


if __name__ == '__main__':
    main()
