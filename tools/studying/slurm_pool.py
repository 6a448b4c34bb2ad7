from __future__ import annotations

import os
import re
import subprocess
import time
from pathlib import Path
from shlex import quote
from typing import Iterable

from mmgh.atomic_files import write_atomically
from mmgh.input_error import InputError
from .job import Job
from .log_settings import log_settings_kept
from .output import LOG, last_words

with log_settings_kept():
    from submitit import SlurmExecutor, SlurmJob
    from submitit.core.utils import FailedJobError

TOOLS = Path(__file__).resolve().parents[1]
# Seconds between questions to Slurm.
ASK_EVERY = 10
# Minutes. Slurm ends a job after so many; it is queued again, and goes on.
DEFAULTS = dict(job_name='mmgh', time=240, max_num_timeout=3)
# As on one machine: results do not depend on how many threads there are.
SETUP = [
    f'export PYTHONPATH={quote(str(TOOLS))}"${{PYTHONPATH:+:$PYTHONPATH}}"',
    'export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"'
]
# In the folder of a run: which job trains it.
JOB_ID = 'slurm_job'


class SlurmPool:
    """Trains runs as jobs of Slurm: in one array, or in as few as it lets, of
    which each begins when the one before has ended.

    Jobs do not need the process that submitted them: another one with the
    same folder finds them, and waits for them.

    Args:
        folder (Path): For files of the jobs; all nodes should see it.
        width (int, optional): How many are trained at a time. Defaults to
            None: as many as Slurm lets.
        options (dict): Parameters of submitit's executor, such as
            ``partition`` and ``time``; options of sbatch that it does not
            know, as ``additional_parameters.reservation``; and
            ``max_num_timeout``, how often the time of a job may be up.

    Raises:
        InputError: If there is no Slurm, or no such parameter.
    """

    def __init__(self, folder: Path, width: int | None,
                 options: dict) -> None:
        options = {**DEFAULTS, **options}
        check_minutes(options['time'])
        timeouts = options.pop('max_num_timeout')
        options['setup'] = [*SETUP, *options.get('setup', [])]
        options['additional_parameters'] = {
            'requeue': True, **pop_unknown(options)
        }
        try:
            self._executor = SlurmExecutor(folder, max_num_timeout=timeouts)
            self._executor.update_parameters(**options)
        except (RuntimeError, TypeError, ValueError) as error:
            message = str(error).splitlines()[0]
            raise InputError(
                '--cluster slurm should be called where sbatch and srun are, '
                'with parameters that submitit knows in --slurm, but: '
                f'{message}') from error
        self._folder = folder
        self._width = width
        self._jobs: dict[Path, SlurmJob] = {}

    @property
    def farewell(self) -> str:
        """What to tell whoever stops waiting."""
        ids = {array_of(job) for job in self._jobs.values()}
        return ('Stopped. Run the same command again to go on.' +
                ' Until then the jobs do; what would end them is: scancel ' *
                bool(ids) + ' '.join(sorted(ids)))

    def start(self, work_dirs: Iterable[Path]) -> None:
        """Submit these runs, but those whose jobs are there already."""
        try:
            there = active_jobs()
            size = largest_array()
        except subprocess.CalledProcessError as error:
            raise InputError(
                f'Slurm should answer, but: {error.stderr}') from error
        missing = []
        for work_dir in work_dirs:
            job_id = read_job_id(work_dir)
            if job_id in there:
                self._jobs[work_dir] = SlurmJob(self._folder, job_id)
            else:
                missing.append(work_dir)
        last = None
        for i in range(0, len(missing), size):
            last = self._submit(missing[i:i + size], after=last)

    def wait(self, seconds: float) -> dict[Path, str | None]:
        """Wait until runs end, but not for longer than that.

        Returns:
            dict[Path, str | None]: Which ended; what their logs end with.
        """
        end = time.monotonic() + seconds
        while True:
            ended = self._ended()
            left = end - time.monotonic()
            if ended or left <= 0:
                return {
                    work_dir: words_of(self._jobs.pop(work_dir), work_dir)
                    for work_dir in ended
                }
            time.sleep(min(ASK_EVERY, left))

    def close(self) -> None:
        """Leave the jobs as they are."""

    def _ended(self) -> list[Path]:
        try:
            there = active_jobs()
        except subprocess.CalledProcessError:
            return []  # it may be busy, and answer later
        return [
            work_dir for work_dir, job in self._jobs.items()
            if job.job_id not in there
        ]

    def _submit(self, work_dirs: list[Path], after: str | None) -> str:
        """Submit an array that begins when another has ended; return its
        number."""
        order = {'dependency': f'afterany:{after}'} if after else {}
        self._executor.update_parameters(
            array_parallelism=self._width or len(work_dirs), **order)
        try:
            jobs = self._executor.map_array(
                Job(), [path.resolve() for path in work_dirs])
        except FailedJobError as error:
            raise InputError(f'Slurm took no jobs: {error}') from error
        for work_dir, job in zip(work_dirs, jobs):
            write_atomically(work_dir / JOB_ID, job.job_id.encode())
            self._jobs[work_dir] = job
        array = array_of(jobs[0])
        print(f'Submitted job {array}.', flush=True)
        return array


def pop_unknown(options: dict) -> dict:
    """Take out the options of sbatch that submitit does not know."""
    prefix = 'additional_parameters.'
    return {
        name[len(prefix):]: options.pop(name)
        for name in list(options) if name.startswith(prefix)
    }


def array_of(job: SlurmJob) -> str:
    return job.job_id.split('_')[0]


def check_minutes(time: int) -> None:
    """Refuse a time that submitit would misread, when it is up."""
    if type(time) is not int or time < 1:
        raise InputError('--slurm time=... should be a number of minutes, but '
                         f'got {time!r}.')


def read_job_id(work_dir: Path) -> str | None:
    """Read which job was to train the run; None if there was none."""
    file = work_dir / JOB_ID
    return file.read_text() if file.exists() else None


def active_jobs() -> set[str]:
    """Ask Slurm which jobs of this user wait or run.

    Raises:
        CalledProcessError: If it does not answer.
    """
    return set(
        answer_of('squeue', f'--user={os.getuid()}', '--array', '--noheader',
                  '--format=%i').split())


def largest_array() -> int:
    """Ask Slurm how many jobs an array may have, as above."""
    told = answer_of('scontrol', 'show', 'config')
    return int(re.search(r'MaxArraySize\s*=\s*(\d+)', told)[1]) or 1


def answer_of(*command: str) -> str:
    return subprocess.run(
        command, check=True, capture_output=True, text=True).stdout


def words_of(job: SlurmJob, work_dir: Path) -> str:
    """Find why a job failed: it tells so itself, unless it was killed."""
    if job.paths.result_pickle.exists():
        return last_words(work_dir / LOG)
    log = job.paths.stderr
    told = log.read_text(errors='replace') if log.exists() else ''
    errors = [line for line in told.splitlines() if 'error:' in line]
    return f"job {job.job_id} ended: {(errors or ['no output'])[-1]}"
