"""Progress bars, where somebody looks at them."""
from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import Callable, Iterator, Sequence, TypeVar

from rich.console import Console
from rich.progress import (BarColumn, DownloadColumn, MofNCompleteColumn,
                           Progress, ProgressColumn, TextColumn,
                           TimeElapsedColumn, TimeRemainingColumn,
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
    counters = ((DownloadColumn(), TransferSpeedColumn())
                if of_bytes else (MofNCompleteColumn(), ))
    with _bar(*counters, TimeRemainingColumn()) as progress:
        task = progress.add_task(title, total=total, completed=done)
        yield partial(progress.advance, task)


@contextmanager
def working(title: str) -> Iterator[None]:
    """A bar that moves, for what has no parts to count; nothing in a log
    file.

    Args:
        title (str): What is being done.
    """
    with _bar(TimeElapsedColumn()) as progress:
        progress.add_task(title, total=None)
        yield


def _bar(*columns: ProgressColumn) -> Progress:
    console = Console(stderr=True)
    return Progress(
        TextColumn('{task.description}', markup=False),
        BarColumn(),
        *columns,
        console=console,
        transient=True,
        disable=not console.is_terminal)
