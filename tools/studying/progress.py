from __future__ import annotations

import re
import time
from datetime import timedelta
from pathlib import Path
from typing import Callable


class Progress:
    """Guesses when the runs of a study will be done, from their logs.

    Args:
        lengths (dict[Path, int | None]): Iterations by folder of a run; None
            where a run says nothing until it is done.
        clock (Callable): Tells the seconds.
    """

    def __init__(self,
                 lengths: dict[Path, int | None],
                 clock: Callable[[], float] = time.monotonic) -> None:
        self._lengths = lengths
        self._clock = clock
        self._ended: set[Path] = set()
        self._start = clock()
        self._before = self.done

    @property
    def done(self) -> float:
        """How many runs are done, and what part of others."""
        return sum(1. if folder in self._ended else part_done(folder, length)
                   for folder, length in self._lengths.items())

    def end(self, folder: Path) -> None:
        """Count a run as done, whether or not it has failed."""
        self._ended.add(folder)

    def __str__(self) -> str:
        count, done = len(self._lengths), self.done
        text = f'{len(self._ended)}/{count}'
        seconds = self._clock() - self._start
        gained = done - self._before
        if gained > 0 and len(self._ended) < count:
            left = timedelta(seconds=round(seconds / gained * (count - done)))
            text += f', about {left} left'
        return text


def part_done(work_dir: Path, length: int | None) -> float:
    """Return the part of its iterations that a run has logged."""
    logs = sorted(work_dir.glob('*/vis_data/scalars.json'))
    if not (length and logs):
        return 0.
    # The last line may be half written.
    steps = re.findall(r'"step": (\d+)', logs[-1].read_text())
    return min(1., int(steps[-1]) / length) if steps else 0.
