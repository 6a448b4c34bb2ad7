"""A run, or a comparison of runs, on one HTML page that needs no other file.

    mmgh report WORK_DIR... --out report.html

shows results, whether there was anything to harmonize, settings (of several
runs: those that differ), curves, which checkpoint metrics without target
labels choose, angles, features, and the target images that are misclassified.
"""
from __future__ import annotations

import argparse
from itertools import cycle
from pathlib import Path

# Before anything of OpenMMLab: it may repair an import of theirs.
import mmgh  # noqa: F401

# isort: split
from expected_errors import one_line_errors
from options import (add_cfg_options, add_device_option, add_metric_option,
                     output_file, positive)
from reporting import curves, summary
from reporting.diagnosis import diagnosis
from reporting.images import image_sections
from reporting.page import write_page
from reporting.report_run import ReportRun
from reporting.selection import selection

from mmgh.analysis import distinct_names
from mmgh.analysis.plots import COLOURS
from mmgh.input_error import InputError


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('work_dirs', nargs='+', type=Path, help='of the runs')
    parser.add_argument(
        '--out',
        type=output_file,
        default=Path('report.html'),
        help='page to write (default: report.html)')
    add_metric_option(parser)
    parser.add_argument(
        '--max-images',
        type=positive,
        default=500,
        help='look at no more of each domain (default: 500)')
    parser.add_argument(
        '--no-images',
        action='store_true',
        help='only what was logged: neither data nor model are needed')
    add_device_option(parser)
    add_cfg_options(parser)
    args = parser.parse_args()
    for path in args.work_dirs:
        if path.is_file():
            parser.error(f'{path} should be a work directory, whose logs are '
                         'shown, but is a file.')
    return args


@one_line_errors(InputError)
def main() -> None:
    args = parse_args()
    names = distinct_names(args.work_dirs)
    runs = [
        ReportRun(name, path, args.metric, colour, args.cfg_options)
        for name, path, colour in zip(names, args.work_dirs, cycle(COLOURS))
    ]
    sections = [
        summary.summary(runs),
        diagnosis(runs),
        summary.settings(runs),
        curves.validation(runs),
        selection(runs),
        curves.losses(runs),
        curves.conflict(runs)
    ]
    if not args.no_images:
        sections += image_sections(runs, args.max_images, args.device)
    write_page(args.out, ', '.join(names), sections)
    print(f'Page: {args.out}')


if __name__ == '__main__':
    main()
