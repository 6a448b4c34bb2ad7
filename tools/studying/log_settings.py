from __future__ import annotations

import os
from contextlib import contextmanager
from typing import Iterator

_SETTING = 'SUBMITIT_LOG_LEVEL'


@contextmanager
def log_settings_kept() -> Iterator[None]:
    """Have submitit imported without setting up its log, which closes the
    files of all others. In a job it does so first, and tells what happens."""
    told = os.environ.get(_SETTING)
    os.environ[_SETTING] = 'NOCONFIG'
    try:
        yield
    finally:
        os.environ.pop(_SETTING)
        if told is not None:
            os.environ[_SETTING] = told
