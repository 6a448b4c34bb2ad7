"""A training that is stopped goes on exactly where it was."""
from __future__ import annotations

import os
import signal
import sys
from importlib import import_module
from pathlib import Path

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner

from ..processes import SERVER, end_loader_workers
from ..test_hooks.small_runs import (assert_same_end, make_runner, scores,
                                     trained)
from .conftest import TOOLS

ATOMIC = dict(type='mmgh.AtomicCheckpointHook')
SEVERAL = dict(optim_wrapper=dict(
    accumulative_counts=4, optimizer=dict(type='SGD', lr=0.1, momentum=0.9)))


class Signals(Hook):
    """Sends signals to this process at a point of an iteration."""

    priority = 'HIGHEST'

    def __init__(self, iteration: int, point: str, numbers: tuple) -> None:
        self.iteration = iteration
        self.numbers = numbers
        self.saved: list[int] = []
        setattr(self, point, self._send)

    def _send(self, runner, *args, **kwargs) -> None:
        if runner.iter == self.iteration:
            for number in self.numbers:
                os.kill(os.getpid(), number)

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        self.saved.append(checkpoint['meta']['iter'])


@pytest.fixture(autouse=True)
def not_in_the_background():
    """A shell without job control has what it starts there ignore Ctrl+C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def stop(load_tool):
    """``stop(work_dir, iteration, point)`` is a training that was stopped,
    and what it saved."""
    stopping = import_module('stopping')

    def stop(work_dir: Path, iteration: int, point='before_train_iter',
             numbers=(signal.SIGINT, ), **options) -> tuple[Runner, list]:
        runner = make_runner(work_dir, checkpoint=options.pop(
            'checkpoint', ATOMIC), **options)
        sender = Signals(iteration, point, numbers)
        runner.register_hook(sender)
        before = [signal.getsignal(number) for number in stopping.SIGNALS]
        with pytest.raises(
                KeyboardInterrupt), stopping.saving_when_stopped(runner):
            runner.train()
        assert before == [
            signal.getsignal(number) for number in stopping.SIGNALS]
        end_loader_workers()
        return runner, sender.saved

    return stop


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize('point', ['before_train_iter', 'after_train_iter'])
@pytest.mark.parametrize('options', [{}, SEVERAL, dict(num_workers=2)],
                         ids=['plain', 'accumulation', 'workers'])
def test_resumed_training_equals_an_uninterrupted_one(
        stop, tmp_path, number, point, options):
    whole = trained(tmp_path / 'whole', checkpoint=ATOMIC, **options)
    _, saved = stop(tmp_path / 'run', 5, point, (number, ), **options)
    assert saved == [4, 6]
    last = (tmp_path / 'run/last_checkpoint').read_text()
    assert last.endswith('iter_6.pth')
    resumed = trained(tmp_path / 'run', resume=True, checkpoint=ATOMIC,
                      **options)
    assert resumed.model.seen == whole.model.seen[6:]
    assert_same_end(resumed, whole)


def test_what_is_saved_anyway_is_saved_once(stop, tmp_path):
    assert stop(tmp_path, 3)[1] == [4]


@pytest.mark.parametrize('point', ['before_val', 'after_val'])
def test_validation_in_progress_is_made_once(stop, tmp_path, point):
    whole = trained(tmp_path / 'whole', checkpoint=ATOMIC)
    stopped, saved = stop(tmp_path / 'run', 4, point)
    assert saved == [4, 5]
    resumed = trained(tmp_path / 'run', resume=True, checkpoint=ATOMIC)
    assert {**scores(stopped), **scores(resumed)} == scores(whole)
    assert not set(scores(stopped)) & set(scores(resumed))
    assert_same_end(resumed, whole)


def test_it_is_saved_though_nobody_reads_what_is_told(stop, tmp_path):
    """As where Ctrl+C has ended `tee`, too."""
    kept = os.dup(2)
    reading, writing = os.pipe()
    os.close(reading)
    os.dup2(writing, 2)
    try:
        assert stop(tmp_path, 5)[1] == [4, 6]
    finally:
        os.dup2(kept, 2)
        for number in (kept, writing):
            os.close(number)


def test_older_checkpoints_go_as_ever(stop, tmp_path):
    stop(tmp_path, 6, checkpoint=dict(ATOMIC, max_keep_ckpts=1))
    assert [path.name for path in tmp_path.glob('*.pth')] == ['iter_7.pth']


@pytest.mark.parametrize('iteration, point, numbers, options', [
    (5, 'before_train_iter', (signal.SIGINT, signal.SIGINT), {}),
    (0, 'before_train', (signal.SIGINT, ), {}),
    (5, 'before_train_iter', (signal.SIGINT, ),
     dict(checkpoint=dict(ATOMIC, by_epoch=True))),
    (5, 'before_train_iter', (signal.SIGINT, ),
     dict(checkpoint=dict(ATOMIC, interval=-1, save_last=False))),
], ids=['twice', 'before the first iteration', 'by epoch', 'never'])
def test_what_ends_at_once(stop, tmp_path, iteration, point, numbers,
                           options):
    runner, saved = stop(tmp_path, iteration, point, numbers, **options)
    assert runner.iter == iteration == len(runner.model.seen)
    assert set(saved) <= {4}


def test_weights_that_diverged_are_not_saved(stop, tmp_path):

    class Diverge(Hook):

        priority = 'VERY_LOW'

        def after_train_iter(self, runner, *args, **kwargs) -> None:
            if runner.iter == 5:
                with torch.no_grad():
                    runner.model.linear.weight.fill_(torch.nan)

    assert stop(tmp_path, 5, custom_hooks=[Diverge()])[1] == [4]


def test_a_signal_that_is_ignored_stays_so(load_tool, tmp_path):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    saving_when_stopped = import_module('stopping').saving_when_stopped
    runner = make_runner(tmp_path, checkpoint=ATOMIC)
    runner.register_hook(
        Signals(5, 'before_train_iter', (signal.SIGINT, signal.SIGINT)))
    with saving_when_stopped(runner):
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        runner.train()
    assert_same_end(runner, trained(tmp_path / 'whole', checkpoint=ATOMIC))


def test_a_worker_goes_on(tmp_path):
    """A terminal tells it of Ctrl+C, too; the training waits for its images.
    In a process of its own, in which nothing else was left by other tests."""
    process = SERVER.Process(target=_tell_workers, args=(str(tmp_path), ))
    process.start()
    process.join()
    assert process.exitcode == 0


def _tell_workers(folder: str) -> None:
    os.chdir(folder)
    sys.path.insert(0, str(TOOLS))
    saving_when_stopped = import_module('stopping').saving_when_stopped
    runner = make_runner(Path(folder), checkpoint=ATOMIC)
    with saving_when_stopped(runner):
        assert _end_of_child(signal.SIGINT, signal.SIGINT) == 7
        assert _end_of_child(signal.SIGTERM) == -signal.SIGTERM


def _end_of_child(*numbers: int) -> int:
    pid = os.fork()
    if not pid:
        for number in numbers:
            os.kill(os.getpid(), number)
        os._exit(7)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
