"""Download, unpack and check a data set of domain adaptation.

    mmgh prepare --list
    mmgh prepare usps
    mmgh prepare office31 --from FILE

It goes on where it was interrupted, brings only what is missing or wrong,
and ends with status 0 only if the data set is complete.
"""
from __future__ import annotations

import argparse
import sys
from pathlib import Path

from data_preparation.data_sets import DATA_SETS
from data_preparation.preparation_error import PreparationError
from data_preparation.prepare import Preparation
from data_preparation.record import DataSet
from expected_errors import one_line_errors

STOPPED = '\nStopped. Run the same command again to go on.'


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Download, unpack and check a data set. Run it again '
        'after an interruption: what is there is kept.')
    parser.add_argument(
        'name', nargs='?', choices=DATA_SETS, help='of the data set')
    parser.add_argument(
        '--list', action='store_true', help='what data sets there are')
    parser.add_argument(
        '--root', type=Path, help='folder of the data set (data/<name>)')
    parser.add_argument(
        '--from',
        dest='origins',
        nargs='+',
        default=[],
        metavar='FILE_OR_URL',
        help='take it from these archives, unpacked folders or URLs (http, '
        'https, file) and download nothing else')
    parser.add_argument(
        '--domains', nargs='+', help='these only, such as clipart sketch')
    parser.add_argument(
        '--verify-only', action='store_true', help='change nothing')
    parser.add_argument(
        '--check-images',
        action='store_true',
        help='decode each image (without it, their first bytes are checked)')
    args = parser.parse_args()
    if args.name is None and not args.list:
        parser.error(f"name a data set: {', '.join(DATA_SETS)}")
    if args.verify_only and args.origins:
        parser.error('--verify-only takes nothing from anywhere: leave out '
                     '--from')
    return args


def table() -> str:
    """What there is, a paragraph each."""
    return '\n\n'.join(
        f'{name}: {", ".join(data_set.domains)}\n'
        f'    {data_set.page}, {data_set.terms}\n'
        f'    to data/{data_set.folder}'
        for name, data_set in DATA_SETS.items())


def report(data_set: DataSet, root: Path, problems: list[str]) -> None:
    if problems:
        print(f'{data_set.name} is not complete in {root}:', file=sys.stderr)
        for problem in problems:
            print(f'- {problem}', file=sys.stderr)
        print(
            'To do without some domains, name the others with --domains: '
            f'{" ".join(data_set.domains)}.',
            file=sys.stderr)
        return
    print(f'{data_set.name} is complete in {root}:')
    for part in data_set.parts:
        print(f'- {part.summary()}')
    downloads = root / 'downloads'
    if downloads.exists():
        print(f'The archives in {downloads} are no longer needed.')


def main() -> int:
    args = parse_args()
    if args.list:
        print(table())
        return 0
    data_set = DATA_SETS[args.name]
    root = args.root or Path('data', data_set.folder)
    with one_line_errors(PreparationError, OSError, about=data_set.name,
                         stopped=STOPPED):
        if args.domains:
            data_set = data_set.only(args.domains)
        preparation = Preparation(data_set, root, decode=args.check_images)
        problems = (
            preparation.verify()
            if args.verify_only else preparation.complete(args.origins))
    report(data_set, root, problems)
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main())
