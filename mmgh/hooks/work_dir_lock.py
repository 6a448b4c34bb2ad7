"""One training at a time writes into a directory."""
from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import IO

from mmgh.input_error import InputError

try:
    import fcntl
except ImportError:  # Windows has none
    fcntl = None

_NAME = '.training'


def lock(folder: Path) -> IO | None:
    """Lock a directory for this process, until the file is closed or the
    process ends, however it does.

    Args:
        folder (Path): It is made if it is not there.

    Returns:
        IO | None: The file; None where the system, or that of the files, has
        no locks.

    Raises:
        InputError: If another process has it.
    """
    if fcntl is None:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    file = open(folder / _NAME, 'a+')  # noqa: SIM115 (until the run ends)
    try:
        # Of the process: a copy of it does not keep the lock.
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.seek(0)
        raise InputError(
            f'{folder} should be the work directory of one training at a '
            f'time, but {file.read()} trains there, and each would replace '
            'the checkpoints of the other.') from error
    except OSError:
        return None
    with suppress(OSError):
        file.truncate(0)
        file.write(f'process {os.getpid()} of {os.uname().nodename}')
        file.flush()
    return file


def unlock(file: IO) -> None:
    """Give a directory back, and leave nothing there."""
    with suppress(OSError):
        os.unlink(file.name)
    file.close()
