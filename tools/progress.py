"""Progress bars, where somebody looks at them."""
from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import Callable, Iterator, Sequence, TypeVar

from rich.console import Console
from rich.progress import (BarColumn, DownloadColumn, MofNCompleteColumn,
                           Progress, TextColumn, TimeRemainingColumn,
                           TransferSpeedColumn)

Step = TypeVar('Step')


def track(steps: Sequence[Step], title: str) -> Iterator[Step]:
    """Yield the steps, with a bar that says how many are done."""
    with progress_bar(title, len(steps)) as advance:
        for step in steps:
            yield step
            advance(1)


@contextmanager
def progress_bar(title: str,
                 total: int | None = None,
                 done: int = 0,
                 of_bytes: bool = False) -> Iterator[Callable[[int], None]]:
    """A bar on the terminal, and nothing in a log file.

    Args:
        title (str): What is being done to what.
        total (int, optional): Files or bytes in all. Defaults to None,
            unknown.
        done (int): Those that were there before. Defaults to 0.
        of_bytes (bool): Count bytes, not files. Defaults to False.

    Yields:
        Callable: ``advance(count)``.
    """
    console = Console(stderr=True)
    counters = ((DownloadColumn(), TransferSpeedColumn())
                if of_bytes else (MofNCompleteColumn(), ))
    with Progress(
            TextColumn('{task.description}', markup=False),
            BarColumn(),
            *counters,
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal) as progress:
        task = progress.add_task(title, total=total, completed=done)
        yield partial(progress.advance, task)
