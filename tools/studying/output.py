"""What a run of a study prints."""
from __future__ import annotations

import os
import sys
from pathlib import Path

LOG = 'output.log'


def send_output(work_dir: Path) -> None:
    """Send what this process prints from now on to the log of a run, after
    what is there."""
    log = os.open(work_dir / LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT,
                  0o644)
    for output in (sys.stdout, sys.stderr):
        os.dup2(log, output.fileno())
    # Else what is printed would come after the traceback of an error.
    sys.stdout.reconfigure(line_buffering=True)


def last_words(log: Path) -> str:
    """Find the message of the error that a log ends with: its further lines
    are mostly indented."""
    lines = log.read_text(errors='replace').splitlines()
    return next((line for line in reversed(lines)
                 if line.strip() and not line[0].isspace()), 'no output')
