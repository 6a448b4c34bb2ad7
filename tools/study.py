"""Run a study: methods x harmonizers x domain pairs x seeds, from configs.

    python tools/study.py configs/studies/digits.py --out work_dirs/study

Finished runs are not done again, stopped ones go on where they stopped. The
results of all runs below `--out` end in its study.csv, from which
analysis/study_report.py makes a table and plots.
"""
from __future__ import annotations

import argparse
import csv
import json
import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

# Before anything of OpenMMLab: it may repair an import of theirs.
import mmgh  # noqa: F401
from analysis.study_report import read_results, report
from study_plan import Run, plan
from study_run import RESULT, share_gpus, train


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('study', help='config of the study')
    parser.add_argument(
        '--out', type=Path, required=True, help='folder of runs and results')
    parser.add_argument(
        '--workers',
        type=int,
        default=1,
        help='runs at a time; they share the GPUs evenly, if there are any')
    for axis in ('pairs', 'methods', 'harmonizers'):
        parser.add_argument(f'--{axis}', nargs='+', help='only these')
    parser.add_argument('--seeds', nargs='+', type=int, help='only these')
    parser.add_argument(
        '--dry-run', action='store_true', help='only list the runs')
    return parser.parse_args()


def run_all(runs: list[Run], out: Path, workers: int) -> list[Run]:
    """Train what is not finished; returns the runs that failed."""
    missing = [run for run in runs if not is_finished(run, out / run.folder)]
    print(f'{len(runs)} runs, {len(runs) - len(missing)} finished before.')
    context = multiprocessing.get_context('spawn')
    failed = []
    with ProcessPoolExecutor(
            workers,
            mp_context=context,
            initializer=share_gpus,
            initargs=(context.Value('i', 0), )) as pool:
        futures = {pool.submit(train, run, out): run for run in missing}
        for number, future in enumerate(as_completed(futures), start=1):
            run = futures[future]
            error = future.exception()
            if error is not None:
                failed.append(run)
            print(f'[{number}/{len(missing)}] {run.folder}: ',
                  error or accuracy(out / run.folder), flush=True)
    return failed


def is_finished(run: Run, work_dir: Path) -> bool:
    if not (work_dir / RESULT).exists():
        return False
    result = json.loads((work_dir / RESULT).read_text())
    for name, value in run.description.items():
        if result[name] != value:
            sys.exit(f'{work_dir} has the result of another study, with '
                     f'`{name}` {result[name]!r} instead of {value!r}. Choose '
                     'another --out.')
    return True


def accuracy(work_dir: Path) -> str:
    return f"{json.loads((work_dir / RESULT).read_text())['accuracy']:.2f} %"


def write_csv(out: Path, planned: list[Run]) -> Path:
    """One line per finished run below `out`, those of this study first."""
    order = {out / run.folder: number for number, run in enumerate(planned)}
    results = [
        json.loads((folder / RESULT).read_text()) for folder in sorted(
            (path.parent for path in out.glob(f'*/*/*/*/{RESULT}')),
            key=lambda folder: (order.get(folder, len(order)), folder))
    ]
    path = out / 'study.csv'
    with open(path, 'w', newline='') as file:
        writer = csv.DictWriter(file, fieldnames=list(results[0]))
        writer.writeheader()
        writer.writerows(results)
    return path


def main() -> None:
    args = parse_args()
    chosen = {
        axis: getattr(args, axis)
        for axis in ('pairs', 'methods', 'harmonizers', 'seeds')
    }
    runs = plan(Path(args.study), chosen)
    if args.dry_run:
        print('\n'.join(str(run.folder) for run in runs))
        return
    failed = run_all(runs, args.out, args.workers)
    if len(failed) < len(runs):
        table = write_csv(args.out, plan(Path(args.study)))
        report(read_results(table), args.out)
    if failed:
        sys.exit('Failed, see output.log in each: ' +
                 ', '.join(str(args.out / run.folder) for run in failed))


if __name__ == '__main__':
    main()
