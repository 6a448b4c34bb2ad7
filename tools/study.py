"""Run a study: methods x harmonizers x domain pairs x seeds, from configs.

    python tools/study.py configs/studies/digits.py --out work_dirs/study

Finished runs are not done again, stopped ones go on where they stopped. The
results of all runs below `--out` end in its study.csv, from which
analysis/study_report.py makes a table and plots.
"""
from __future__ import annotations

import argparse
import json
import signal
import sys
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path
from queue import SimpleQueue

# Before anything of OpenMMLab: it may repair an import of theirs.
import mmgh  # noqa: F401

# isort: split
from expected_errors import one_line_errors
from mmengine.config import Config
from studying.plan import AXES, Run, plan
from studying.progress import Progress
from studying.report import report
from studying.results import read_result, read_results, write_results
from studying.run_config import config_hash, iterations, run_config
from studying.worker import LOG, Worker

from mmgh.input_error import InputError

# Seconds without news.
TELL_EVERY = 30


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


def prepare(run: Run, cfg: Config, work_dir: Path) -> None:
    """Make the folder of a run, with all that its process needs.

    A folder of other settings is refused: its checkpoints and its result
    would be taken for those of this run.
    """
    file = work_dir / 'run.json'
    description = {**run.description, 'config_hash': config_hash(cfg)}
    if file.exists():
        there = json.loads(file.read_text())
        for name, value in description.items():
            if there.get(name) != value:
                raise InputError(
                    f'{work_dir} is of another study: `{name}` is '
                    f'{there.get(name)!r} there, and {value!r} here. Choose '
                    'another --out.')
        return
    work_dir.mkdir(parents=True, exist_ok=True)
    cfg.dump(work_dir / 'config.py')
    file.write_text(json.dumps(description, indent=2))


def train_all(lengths: dict[Path, int | None], workers: int) -> list[Path]:
    """Train the runs in processes of their own; return what failed.

    Args:
        lengths: Iterations by folder of a run.
        workers: How many are trained at a time.
    """
    progress = Progress(lengths)
    free: SimpleQueue[Worker] = SimpleQueue()
    team = [Worker(number) for number in range(workers)]
    for worker in team:
        free.put(worker)

    def train(work_dir: Path) -> str | None:
        worker = free.get()
        try:
            return worker.train(work_dir)
        finally:
            free.put(worker)

    pool = ThreadPoolExecutor(workers)
    running = {pool.submit(train, path): path for path in lengths}
    failed = []
    try:
        while running:
            ended, _ = wait(running, TELL_EVERY, FIRST_COMPLETED)
            if not ended:
                print(f'[{progress}]', flush=True)
            for future in ended:
                work_dir = running.pop(future)
                progress.end(work_dir)
                result = read_result(work_dir)
                if result is None:
                    failed.append(work_dir)
                print(f'[{progress}] {work_dir}: ' +
                      (f"{result['accuracy']:.2f} %" if result else
                       f'failed: {future.result()} (see {LOG} there)'),
                      flush=True)
    except KeyboardInterrupt:
        print('\nStopped. Run the same command again to go on.')
        sys.exit(130)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for worker in team:
            worker.stop()
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
    missing = {}
    for run in runs:
        work_dir, cfg = args.out / run.folder, run_config(run)
        prepare(run, cfg, work_dir)
        if read_result(work_dir) is None:
            missing[work_dir] = iterations(cfg)
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
