"""Trainings as jobs of Slurm, which are killed and queued again.

They run where ``sinfo`` answers, by the marker ``slurm``: ``pytest -m slurm``.
tools/README.md says how to start a Slurm of one node.
"""
from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .short_runs import SHORT, assert_same_training, read
from .small_study import CONFIGS, LENET, STUDY, write_study

ROOT = STUDY.parents[1]
pytestmark = [
    pytest.mark.slurm,
    pytest.mark.skipif(
        not shutil.which('sinfo')
        or subprocess.run(['sinfo'], capture_output=True).returncode != 0,
        reason='needs a Slurm')
]
# Stops each training once, after its first checkpoint, until it is killed.
PAUSE = '''
import os, time
from pathlib import Path
from mmengine.hooks import Hook
from mmengine.registry import HOOKS

@HOOKS.register_module()
class Pause(Hook):

    def after_train_iter(self, runner, *args, **kwargs):
        paused = Path(runner.work_dir, 'paused')
        if runner.iter == 3 and not paused.exists():
            own = paused.with_suffix(f'.{os.getpid()}')
            own.write_text(str(os.getpid()))
            own.rename(paused)
            while True:
                time.sleep(0.1)
'''
DIGITS = CONFIGS / f'dann/dann_{LENET}'
PAUSED = {
    'custom_imports': dict(imports=['pause']),
    'default_hooks.pause': dict(type='Pause')
}


def slurm(*command) -> str:
    return subprocess.run(
        list(map(str, command)), check=True, capture_output=True,
        text=True).stdout


def wait_for(condition, job: str) -> None:
    """Wait, as long as there is a job that it may come of."""
    while not condition():
        assert slurm('squeue', '--noheader', f'--jobs={job}'), f'{job} ended'
        time.sleep(0.5)


@pytest.fixture
def paths(tmp_path, monkeypatch):
    (tmp_path / 'pause.py').write_text(PAUSE)
    monkeypatch.setenv('PYTHONPATH', f'{ROOT}:{tmp_path}')
    # The scripts take the first `python` that they find.
    monkeypatch.setenv('PATH', str(Path(sys.executable).parent), os.pathsep)
    monkeypatch.setenv('OMP_NUM_THREADS', '1')
    yield tmp_path
    jobs = [file.read_text() for file in tmp_path.rglob('slurm_job')]
    subprocess.run(['scancel', *jobs], check=True)  # if the test has failed


def write_studies(folder: Path) -> tuple[Path, Path]:
    """One that is trained as it is, and one that pauses."""
    studies = []
    options = {
        key: int(value)
        for key, value in (option.split('=') for option in SHORT)
    }
    for name, changes in (('whole', {}), ('paused', PAUSED)):
        (folder / name).mkdir()
        studies.append(write_study(
            folder / name,
            methods={'DANN': dict(config=str(DIGITS))},
            harmonizers={'none': {}},
            seeds=[0, 1, 2, 3],
            options={**options, **changes}))
    return tuple(studies)


def start(study: Path) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, STUDY, study, '--out', study.parent, '--workers', '2',
         '--cluster', 'slurm', '--slurm', 'time=60',
         'additional_parameters.nice=1'],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True)


def send(number: int, run: Path) -> None:
    os.kill(int((run / 'paused').read_text()), number)


def job_of(run: Path) -> str:
    return (run / 'slurm_job').read_text()


def result_of(run: Path) -> dict:
    """But for what it took, and for the pause."""
    result = json.loads((run / 'result.json').read_text())
    return {**result, 'seconds': 0, 'options': '', 'config_hash': ''}


STOPS = {
    0: lambda run: slurm('scontrol', 'requeue', job_of(run)),
    # As Slurm tells that the time is up.
    1: lambda run: send(signal.SIGUSR2, run),
    2: lambda run: slurm('scancel', job_of(run)),
    3: lambda run: send(signal.SIGKILL, run),
}


def test_killed_and_requeued_runs_are_those_that_were_not(paths):
    """Bit for bit. What was queued again ends under the same command, what
    was killed is a failure, with which the next one goes on."""
    whole, paused = write_studies(paths)
    runs = [paused.parent / f'Digits_-_DigitsM/DANN/none/{seed}'
            for seed in STOPS]
    first = start(paused)
    while not all((run / 'slurm_job').exists() for run in runs):
        assert first.poll() is None
        time.sleep(0.5)
    jobs = set(map(job_of, runs))
    # Of this Slurm, an array has three jobs at most.
    assert len(jobs) == 4 and len({job.split('_')[0] for job in jobs}) == 2
    # Whoever waits may go. The next one waits for the same jobs.
    first.send_signal(signal.SIGTERM)
    told = first.communicate()[0]
    assert first.returncode == 130 and 'scancel' in told
    second = start(paused)
    for seed, run in enumerate(runs):
        wait_for((run / 'paused').exists, job_of(run))
        STOPS[seed](run)
    told = second.communicate()[0]
    assert second.returncode == 1 and 'Submitted' not in told
    assert set(map(job_of, runs)) == jobs
    failed = [line for line in told.splitlines() if 'failed:' in line]
    assert len(failed) == 2
    assert all('task 0: Killed' in line for line in failed)
    third = start(paused)
    told = third.communicate()[0]
    assert third.returncode == 0 and '4 runs, 2 finished before' in told
    subprocess.run(
        [sys.executable, STUDY, whole, '--out', whole.parent, '--workers',
         '2'],
        check=True,
        stdout=subprocess.DEVNULL)
    for run in runs:
        other = whole.parent / run.relative_to(paused.parent)
        assert_same_training(
            read(run / 'iter_6.pth'), read(other / 'iter_6.pth'))
        assert result_of(run) == result_of(other)
        assert 'resumed epoch: 0, iter: 3' in (run / 'output.log').read_text()


def test_script_trains_on_what_a_requeue_left(paths, monkeypatch):
    """Two processes, by sbatch and stopped, or by srun alone."""
    pausing = paths / 'pausing.py'
    pausing.write_text(f'_base_ = {str(DIGITS)!r}\n'
                       'custom_imports = dict(imports=["pause"])\n'
                       'default_hooks = dict(pause=dict(type="Pause"))\n')
    partition = slurm('sinfo', '--noheader', '--format=%R').split()[0]
    for name, value in dict(GPUS=2, GPUS_PER_NODE=0, CPUS_PER_TASK=1).items():
        monkeypatch.setenv(name, str(value))

    def command(name: str, config: Path) -> list[str]:
        return ['bash', str(ROOT / 'tools/slurm_train.sh'), partition, name,
                str(config), str(paths / name), '--resume', '--cfg-options',
                *SHORT]

    job = slurm('sbatch', '--parsable', '--requeue', '--ntasks=2',
                f'--output={paths}/log', '--open-mode=append',
                f"--wrap={shlex.join(command('stopped', pausing))}").strip()
    (paths / 'slurm_job').write_text(job)
    wait_for((paths / 'stopped/paused').exists, job)
    slurm('scontrol', 'requeue', job)
    subprocess.run(command('whole', DIGITS),
                   check=True, stdout=subprocess.DEVNULL)
    while slurm('squeue', '--noheader', f'--jobs={job}'):
        time.sleep(1)
    assert 'resumed epoch: 0, iter: 3' in (paths / 'log').read_text()
    assert_same_training(*(
        read(paths / name / 'iter_6.pth') for name in ('stopped', 'whole')))
