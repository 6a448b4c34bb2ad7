"""Two trainings in one directory."""
from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from mmgh.hooks.work_dir_lock import lock
from mmgh.input_error import InputError
from ..processes import SERVER
from .small_runs import killed, trained

pytest.importorskip('fcntl')
SAVING = dict(checkpoint=dict(type='mmgh.AtomicCheckpointHook'))


def train(work_dir: Path, pipe) -> None:
    """Train, and stop before the ninth iteration until told to go on."""
    try:
        kept = killed(work_dir, 8, **SAVING)
        pipe.send(os.getpid())
        pipe.recv()
        assert kept
    except InputError as error:
        pipe.send(str(error))


@pytest.fixture
def start(tmp_path):
    """``start()`` trains in another process, and gives its first word."""
    processes = []

    def begin():
        ours, its = SERVER.Pipe()
        process = SERVER.Process(target=train, args=(tmp_path / 'run', its))
        process.start()
        processes.append((process, ours))
        return ours.recv()

    yield begin
    for process, _ in processes:
        process.kill()
        process.join()


def test_a_second_training_is_refused_while_the_first_one_runs(
        start, tmp_path):
    first = start()
    assert isinstance(first, int)
    saved = (tmp_path / 'run/iter_8.pth').read_bytes()
    assert f'process {first} of ' in start()
    with pytest.raises(InputError, match='one training at a time, but process '
                       f'{first} of .* trains there'):
        trained(tmp_path / 'run', **SAVING)
    assert (tmp_path / 'run/iter_8.pth').read_bytes() == saved
    trained(tmp_path / 'another', **SAVING)
    assert not (tmp_path / 'another/.training').exists()


def test_a_kill_leaves_no_lock(start, tmp_path):
    os.kill(start(), signal.SIGKILL)
    while isinstance(start(), str):  # it is still ending
        pass


def test_one_process_may_train_again(tmp_path):
    kept = killed(tmp_path, 6, **SAVING)
    trained(tmp_path, **SAVING)
    assert kept


def test_files_without_locks_are_no_hindrance(tmp_path, monkeypatch):
    monkeypatch.setattr('mmgh.hooks.work_dir_lock.fcntl', None)
    assert lock(tmp_path) is None
