"""When the runs of a study will be done, with a clock of its own."""
from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest


@pytest.fixture
def progress(load_tool):
    return import_module('studying.progress').Progress


def log(work_dir: Path, text: str) -> None:
    folder = work_dir / '20250101_000000/vis_data'
    folder.mkdir(parents=True, exist_ok=True)
    (folder / 'scalars.json').write_text(text)


def test_time_is_told_from_what_is_done(progress, tmp_path):
    """Of runs that are not at their end, too; not of what was there, nor of
    the time before anything is done."""
    now = [100.]
    first, second, third, unknown = (tmp_path / str(i) for i in range(4))
    log(first, '{"loss": 1.0, "step": 50}\n')
    found = progress(
        {first: 100, second: 100, third: 100, unknown: None}, lambda: now[0])

    def told(seconds: float) -> str:
        now[0] += seconds
        found.look()
        return str(found)

    assert told(0) == told(500) == '0/4, starting'
    log(second, '{"loss": 1.0, "step": 25}\n')
    assert told(100) == told(0) == '0/4'
    # The last line is being written.
    log(second, '{"loss": 1.0, "step": 50}\n{"loss": 1.0, "st')
    # A quarter of a run a minute: 3 are left.
    assert told(60) == '0/4, about 0:12:00 left'
    found.end(first)
    # Now three quarters of a minute: 2.5 are left.
    assert told(0) == '1/4, about 0:03:20 left'
    log(unknown, '{"loss": 1.0, "step": 25}\n')
    assert told(60) == '1/4, about 0:06:40 left'
    for run in (second, third, unknown):
        found.end(run)
    assert told(0) == '4/4'
