"""What trains the runs of a study, one after the other.

    python tools/studying/copies.py < FOLDERS

takes a folder per line, trains it as run.py does, with all output in a log
there, and answers with a line: its exit status, negative for a signal.
Most of a short run would be its imports. So this process has them done, and
each run is a copy of it: none can harm another, none sees what another left.
"""
from __future__ import annotations

import gc
import os
import select
import signal
import sys
import warnings
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryFile
from threading import Thread

from output import send_output


def main() -> None:
    # Ctrl+C reaches all processes of a terminal. These end with their input
    # only, so that none of them is left.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    # What imported packages print is no answer.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), 'w')
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    import_module('run')  # what takes long
    import torch
    for line in sys.stdin:
        work_dir = Path(line.rstrip('\n'))
        if torch.cuda.is_available():
            # CUDA does not work in copies: whoever starts this process
            # starts another for the next folder.
            train_here(work_dir)
            return
        print(train_in_copy(work_dir), file=answers, flush=True)


def train_in_copy(work_dir: Path) -> int:
    """Return the exit status of a copy of this process that trains.

    What it had to import besides is there for the next one.
    """
    import cv2
    gc.freeze()  # the copies have less to search for garbage
    # A copy that stops the threads of OpenCV, as MMEngine does, would wait
    # without end for those that were not copied.
    cv2.setNumThreads(0)
    # No pipe: workers of data loaders, which outlive a copy that is stopped,
    # would hold it open.
    with TemporaryFile('w+') as told:
        pid = os.fork()
        if not pid:
            known = set(sys.modules)
            try:
                train_here(work_dir)
            finally:
                print(*(name for name in sys.modules if name not in known),
                      sep='\n', file=told, flush=True)
            sys.exit()
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        told.seek(0)
        imported = told.read().split('\n')
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # the copy has told them
        for name in filter(None, imported):
            # Some are not to be imported by themselves.
            with suppress(Exception):
                import_module(name)
    return status


def train_here(work_dir: Path) -> None:
    send_output(work_dir)
    Thread(target=end_with_input, daemon=True).start()
    from run import main
    main(work_dir)


def end_with_input() -> None:
    """End this process when nobody is there who could write to its input,
    even where that one was killed."""
    poll = select.poll()
    poll.register(sys.stdin, 0)
    poll.poll()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == '__main__':
    main()
