"""A training that is stopped saves what it has done."""
from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager, suppress
from typing import Iterator

from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmgh.divergence import diverged_weights
from mmgh.hooks import AtomicCheckpointHook
from mmgh.hooks.saved_models import saved_models, saves_after_iter
from mmgh.unwrap import unwrap

# Ctrl+C, and what job schedulers send.
SIGNALS = signal.SIGINT, signal.SIGTERM
STOPPING = (b'\nStopping after the iteration in progress, which is saved. '
            b'Ctrl+C again ends at once.\n')


class StopHook(Hook):
    """Ends a training after an iteration, once it is asked to, and saves a
    checkpoint, unless one was saved after this iteration.

    What is asked during a validation comes after the next iteration: only then
    the state is that of a training.
    """

    # After the hooks that belong to an iteration, and what else saves.
    priority = 'LOWEST'

    def __init__(self) -> None:
        self.has_begun = False
        self.is_asked = False

    def before_train_iter(self, runner, batch_idx, data_batch=None) -> None:
        """Note that there will be something to save."""
        self.has_begun = True

    def after_train_iter(self,
                         runner,
                         batch_idx,
                         data_batch=None,
                         outputs=None) -> None:
        """End the training, if that was asked.

        Raises:
            KeyboardInterrupt: Then.
        """
        if self.is_asked:
            if not saves_after_iter(runner) and not _has_diverged(runner):
                _saving_hook(runner).save_now(runner)
            raise KeyboardInterrupt


@contextmanager
def saving_when_stopped(runner: Runner) -> Iterator[None]:
    """Let the first Ctrl+C end the training of a runner after the iteration in
    progress, with a checkpoint; the second ends it at once.

    Nothing changes for several processes, which are not stopped in the same
    iteration, and where checkpoints are saved by epoch, or not at all.
    """
    if not _can_save(runner):
        yield
        return
    hook = StopHook()
    runner.register_hook(hook)
    process = os.getpid()
    # What a shell starts in the background ignores Ctrl+C.
    before = {
        number: handler
        for number, handler in zip(SIGNALS, map(signal.getsignal, SIGNALS))
        if handler is not signal.SIG_IGN
    }

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def ask(number: int, frame) -> None:
        # Ctrl+C also reaches the workers of data loaders, whose images the
        # iteration may wait for. They inherit this.
        if os.getpid() != process and number == signal.SIGINT:
            return
        restore()
        if os.getpid() != process or not hook.has_begun:
            os.kill(os.getpid(), number)
            return
        hook.is_asked = True
        # Not print: this may interrupt another one. And whoever reads it may
        # have ended by the same Ctrl+C, as `tee`.
        with suppress(OSError):
            os.write(2, STOPPING)

    for number in before:
        signal.signal(number, ask)
    try:
        yield
    finally:
        restore()


def _can_save(runner: Runner) -> bool:
    return (isinstance(runner, Runner) and runner.world_size == 1
            and threading.current_thread() is threading.main_thread()
            and _saving_hook(runner) is not None)


def _saving_hook(runner: Runner) -> AtomicCheckpointHook | None:
    return next((hook for hook in runner.hooks
                 if isinstance(hook, AtomicCheckpointHook)
                 and not hook.by_epoch
                 and (hook.interval > 0 or hook.save_last)), None)


def _has_diverged(runner: Runner) -> bool:
    return any(diverged_weights(unwrap(model))
               for model in saved_models(runner))
