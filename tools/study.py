"""Run a study: methods x harmonizers x domain pairs x seeds, from configs.

    python tools/study.py configs/studies/digits.py --out work_dirs/study

Finished runs are not done again, stopped ones go on where they stopped. The
results of all runs below `--out` end in its study.csv, from which
analysis/study_report.py makes a table and plots.
"""
from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from queue import SimpleQueue

# Before anything of OpenMMLab: it may repair an import of theirs.
import mmgh  # noqa: F401

# isort: split
import torch
from expected_errors import one_line_errors
from studying.plan import AXES, Run, config_hash, plan, run_config
from studying.report import report
from studying.results import read_result, read_results, write_results

from mmgh.input_error import InputError

RUN = Path(__file__).with_name('studying') / 'run.py'


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('study', type=Path, help='config of the study')
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
    args = parser.parse_args()
    if args.workers < 1:
        parser.error(f'--workers should be at least 1, but got {args.workers}')
    return args


def prepare(run: Run, out: Path) -> Path:
    """Make the folder of a run, with all that its process needs.

    A folder of other settings is refused: its checkpoints and its result
    would be taken for those of this run.
    """
    work_dir = out / run.folder
    file = work_dir / 'run.json'
    cfg = run_config(run)
    description = {**run.description, 'config_hash': config_hash(cfg)}
    if file.exists():
        there = json.loads(file.read_text())
        for name, value in description.items():
            if there.get(name) != value:
                raise InputError(
                    f'{work_dir} is of another study: `{name}` is '
                    f'{there.get(name)!r} there, and {value!r} here. Choose '
                    'another --out.')
        return work_dir
    work_dir.mkdir(parents=True, exist_ok=True)
    cfg.dump(work_dir / 'config.py')
    file.write_text(json.dumps(description, indent=2))
    return work_dir


def environment(worker: int) -> dict:
    """Give the worker the next of the visible GPUs, and one CPU thread."""
    variables = {'OMP_NUM_THREADS': '1', **os.environ}
    count = torch.cuda.device_count()
    if count:
        visible = os.environ.get('CUDA_VISIBLE_DEVICES',
                                 ','.join(map(str, range(count)))).split(',')
        variables['CUDA_VISIBLE_DEVICES'] = visible[worker % count]
    return variables


def train_all(work_dirs: list[Path], workers: int) -> list[Path]:
    """Start a process per run, so that none can harm another; return what
    failed."""
    free: SimpleQueue[int] = SimpleQueue()
    for worker in range(workers):
        free.put(worker)
    running: set[subprocess.Popen] = set()

    def train(work_dir: Path) -> None:
        worker = free.get()
        with open(work_dir / 'output.log', 'a') as log:
            process = subprocess.Popen([sys.executable, RUN, work_dir],
                                       stdout=log,
                                       stderr=subprocess.STDOUT,
                                       env=environment(worker))
        running.add(process)
        process.wait()
        running.remove(process)
        free.put(worker)

    pool = ThreadPoolExecutor(workers)
    failed = []
    try:
        futures = {pool.submit(train, path): path for path in work_dirs}
        for number, future in enumerate(as_completed(futures), start=1):
            result = read_result(futures[future])
            if result is None:
                failed.append(futures[future])
            print(f'[{number}/{len(futures)}] {futures[future]}: ' +
                  (f"{result['accuracy']:.2f} %" if result else 'failed'),
                  flush=True)
    except KeyboardInterrupt:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in list(running):
            process.terminate()
        print('\nStopped. Run the same command again to go on.')
        sys.exit(130)
    return failed


@one_line_errors(InputError)
def main() -> None:
    args = parse_args()
    # Job schedulers stop what they started in this way.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    runs = plan(args.study, {axis: getattr(args, axis) for axis in AXES})
    if args.dry_run:
        print('\n'.join(str(run.folder) for run in runs))
        return
    work_dirs = [prepare(run, args.out) for run in runs]
    missing = [path for path in work_dirs if read_result(path) is None]
    print(f'{len(runs)} runs, {len(runs) - len(missing)} finished before.',
          flush=True)
    failed = train_all(missing, args.workers)
    if len(failed) < len(runs):
        planned = [args.out / run.folder for run in plan(args.study)]
        report(read_results(write_results(args.out, planned)), args.out)
    if failed:
        sys.exit('Failed, see output.log in each: ' +
                 ', '.join(map(str, failed)))


if __name__ == '__main__':
    main()
