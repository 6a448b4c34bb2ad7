from __future__ import annotations

import os
import signal
from functools import partial
from pathlib import Path

from .output import send_output


class Job:
    """Trains a run in a job of a cluster, which may be stopped and started
    again at any time: it goes on from its last checkpoint."""

    def __call__(self, work_dir: Path) -> None:
        """Train a run, as run.py does."""
        # This process is the one to ask for another start, not its copies
        # that load data.
        os.register_at_fork(after_in_child=partial(
            signal.signal, signal.SIGUSR2, signal.SIG_IGN))
        send_output(work_dir)
        from studying.run import main
        try:
            main(work_dir)
        except SystemExit as error:
            if not isinstance(error.code, str):  # as submitit ends us
                raise
            raise RuntimeError(error.code) from None  # which it keeps

    def checkpoint(self, work_dir: Path):
        """Tell submitit what to start when the time of the job is up."""
        from submitit.helpers import DelayedSubmission
        return DelayedSubmission(self, work_dir)
