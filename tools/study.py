"""Run a study: methods x harmonizers x domain pairs x seeds, from configs.

    mmgh study configs/studies/digits.py --out work_dirs/study
    mmgh study folders --source FOLDER --target FOLDER

Finished runs are not done again, stopped ones go on where they stopped. The
results of all runs below `--out` end in its study.csv, from which
analysis/study_report.py makes a table and plots.
"""
from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

# Before anything of OpenMMLab: it may repair an import of theirs.
import mmgh  # noqa: F401

# isort: split
from expected_errors import one_line_errors
from own_folders.beginning import begin, is_begun
from own_folders.options import NAME, add_folder_options, check_folder_options
from own_folders.page import write_folders_page
from own_folders.verdicts import headline
from studying.output import LOG
from studying.plan import AXES, Run, plan
from studying.pools import (add_pool_options, check_pool_options, make_pool,
                            workers_of)
from studying.power import power_table
from studying.report import report
from studying.results import (names, read_result, read_runs, results_below,
                              settings_of, write_results)
from studying.run_config import (describe, iterations, run_config,
                                 without_other_configs)
from studying.training import prepare, train_all

from mmgh.input_error import InputError

POWER_NOTE = '''
Seeds with which a difference to the baseline of so many points is found in
four of five studies (two-sided, 5 %), and the time of the trainings of both,
without starts and validations. With a pilot of five seeds the spread may be
off by a third, and with it the seeds by two thirds.
'''


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('study',
        type=Path,
        help='its config: a file, or one that comes with mmgh; or folders')
    parser.add_argument(
        '--out',
        type=Path,
        help='folder of runs and results (default for folders: '
        'work_dirs/SOURCE2TARGET)')
    parser.add_argument(
        '--known',
        type=Path,
        metavar='CSV',
        help='results that are there: runs of the same names and config are '
        'not done again')
    add_pool_options(parser)
    for axis in ('pairs', 'methods', 'harmonizers'):
        parser.add_argument(f'--{axis}', nargs='+', help='only these')
    parser.add_argument(
        '--seeds', nargs='+', type=int, help="these, not the study's")
    parser.add_argument(
        '--dry-run', action='store_true', help='only list the runs')
    parser.add_argument(
        '--plan',
        action='store_true',
        help='only say from the results in --out and --known how many seeds '
        'each comparison needs')
    parser.add_argument(
        '--effect',
        nargs='+',
        type=float,
        default=[1., 0.5],
        metavar='POINTS',
        help='with --plan: to be found (default: 1 0.5)')
    add_folder_options(parser)
    args = parser.parse_args()
    check_folder_options(parser, args)
    if not (args.out or args.plan or args.dry_run):
        parser.error('--out is needed')
    if min(args.effect) <= 0:
        parser.error('--effect should be above 0, but got '
                     f'{min(args.effect):g}')
    check_pool_options(parser, args)
    return args


@one_line_errors(InputError)
def main() -> None:
    args = parse_args()
    # Job schedulers stop what they started in this way.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if args.study == NAME:
        args.study = begin_or_stop(args)
    runs = plan(args.study, {axis: getattr(args, axis) for axis in AXES})
    known = read_runs(args.known) if args.known else []
    if args.dry_run:
        print('\n'.join(str(run.folder) for run in runs))
    elif args.plan:
        tell_power(args, runs, known)
    else:
        do(args, runs, known)


def begin_or_stop(args: argparse.Namespace) -> Path:
    try:
        return begin(args)
    except KeyboardInterrupt:
        print('\nStopped. Nothing was trained yet.')
        sys.exit(130)


def tell_power(args: argparse.Namespace, runs: list[Run],
               known: list[dict]) -> None:
    """Say how many seeds the study needs, from what there is of it."""
    chosen = {run[:3] for run in runs}
    there = known + (results_below(args.out) if args.out else [])
    table = power_table(
        settings_of(run for run in there if names(run)[:3] in chosen),
        args.effect, workers_of(args))
    if table is None:
        raise InputError(
            'There should be two seeds of a harmonizer and of its baseline to '
            'plan from. Make a pilot first, such as: mmgh study '
            f"{args.study} --out {args.out or 'work_dirs/pilot'} --seeds "
            '0 1 2 3 4')
    print(table)
    print(POWER_NOTE)


def do(args: argparse.Namespace, runs: list[Run], known: list[dict]) -> None:
    """Train what is missing, and write the results."""
    kept = without_other_configs(known, runs)
    if len(kept) < len(known):
        print(f'{len(known) - len(kept)} runs in {args.known} are of other '
              'configs, and left out.')
    there, missing = set(map(names, kept)), {}
    for run in runs:
        if run[:4] in there:
            continue
        cfg, work_dir = run_config(run), args.out / run.folder
        prepare(work_dir, describe(run, cfg), cfg)
        if read_result(work_dir) is None:
            missing[work_dir] = iterations(cfg)
    print(f'{len(runs)} runs, {len(runs) - len(missing)} finished before. '
          f'They are in {args.out}.', flush=True)
    failed = train_all(missing, make_pool(args)) if missing else []
    results = [*results_below(args.out), *kept]
    if results:
        table = args.out / 'study.csv'
        write_results(table, results, [run[:4] for run in plan(args.study)])
        settings = settings_of(read_runs(table))
        report(settings, args.out)
        if is_begun(args.out):
            print(f'Does harmonization help here? {headline(settings)}\n'
                  f'Page: {write_folders_page(args.out, settings)}')
    if failed:
        sys.exit(f'Failed, see {LOG} in each: ' + ', '.join(map(str, failed)))


if __name__ == '__main__':
    main()
