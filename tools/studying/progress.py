from __future__ import annotations

import re
import time
from datetime import timedelta
from pathlib import Path
from typing import Callable


class Progress:
    """Guesses when the runs of a study will be done, from their logs.

    It knows what there was when it looked last.

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
        self._start: tuple[float, float] | None = None
        self._last = clock(), self.done

    @property
    def done(self) -> float:
        """How many runs are done, and what part of others."""
        return sum(1. if folder in self._ended else part_done(folder, length)
                   for folder, length in self._lengths.items())

    def end(self, folder: Path) -> None:
        """Count a run as done, whether or not it has failed."""
        self._ended.add(folder)

    def look(self) -> None:
        """Look at the logs. Time counts from when the first of them has
        grown: until then processes start, which they do once."""
        now = self._clock(), self.done
        if self._start is None and now[1] > self._last[1]:
            self._start = now
        self._last = now

    @property
    def seconds_left(self) -> float | None:
        """Seconds until all is done; None where it cannot be told yet."""
        if self._start is None or self._last[1] <= self._start[1]:
            return None
        seconds, gained = (
            last - start for last, start in zip(self._last, self._start))
        return seconds / gained * (len(self._lengths) - self._last[1])

    def __str__(self) -> str:
        text = f'{len(self._ended)}/{len(self._lengths)}'
        left = self.seconds_left
        if self._start is None and not self._ended:
            text += ', starting'
        if left is not None and len(self._ended) < len(self._lengths):
            text += f', about {timedelta(seconds=round(left))} left'
        return text


def part_done(work_dir: Path, length: int | None) -> float:
    """Return the part of its iterations that a run has logged."""
    logs = sorted(work_dir.glob('*/vis_data/scalars.json'))
    if not (length and logs):
        return 0.
    # The last line may be half written.
    steps = re.findall(r'"step": (\d+)', logs[-1].read_text())
    return min(1., int(steps[-1]) / length) if steps else 0.
