"""A run, or a comparison of runs, on one HTML page that needs no other file.

    python tools/report.py WORK_DIR... --out report.html

shows results, settings (of several runs: those that differ), curves, angles,
features, and the target images that are misclassified.
"""
from __future__ import annotations

import argparse
from pathlib import Path

# Before anything of OpenMMLab: it may repair an import of theirs.
import mmgh  # noqa: F401
from mmgh.analysis import distinct_names
from mmgh.analysis.options import add_device_option, positive
from reporting import curves, summary
from reporting.images import image_sections
from reporting.page import write_page
from reporting.report_run import ReportRun


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('work_dirs', nargs='+', type=Path, help='of the runs')
    parser.add_argument(
        '--out', type=Path, default=Path('report.html'), help='page to write')
    parser.add_argument(
        '--metric',
        help='target accuracy in the log (default: accuracy/top1, or '
        'oracle/accuracy/top1)')
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
    args = parser.parse_args()
    for path in args.work_dirs:
        if path.is_file():
            parser.error(f'{path} should be a work directory, whose logs are '
                         'shown, but is a file.')
    return args


def main() -> None:
    args = parse_args()
    names = distinct_names(args.work_dirs)
    runs = [
        ReportRun(name, path, args.metric)
        for name, path in zip(names, args.work_dirs)
    ]
    sections = [
        summary.summary(runs),
        summary.settings(runs),
        curves.validation(runs),
        curves.losses(runs),
        curves.conflict(runs)
    ]
    if not args.no_images:
        sections += image_sections(runs, args.max_images, args.device)
    write_page(args.out, ', '.join(names), sections)
    print(f'Page: {args.out}')


if __name__ == '__main__':
    main()
