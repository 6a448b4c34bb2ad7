"""How many seeds a study needs, from the results of a pilot."""
from __future__ import annotations

import math
import statistics
from datetime import timedelta
from typing import NamedTuple, Sequence

from mmgh.analysis.tables import markdown_table
from .comparison import seeds_for
from .contrast import by_harmonizer
from .results import Setting, differences, find

HEADER = ('pair', 'method', 'harmonizer', 'seeds', 'spread')
ALL = 'all of them'


class Pilot(NamedTuple):
    """What is known of a comparison with the baseline."""

    setting: Setting
    spread: float
    """Standard deviation of the differences."""
    seeds: int
    seconds: float
    """Of a training and its baseline; NaN if no table says it."""


def pilot(setting: Setting, settings: list[Setting]) -> Pilot | None:
    """Measure a comparison; None with fewer than two seeds."""
    baseline = find(settings, *setting[:2], setting.baseline)
    changes = differences(setting, baseline)
    if len(changes) < 2:
        return None
    return Pilot(setting, statistics.stdev(changes), len(changes),
                 seconds_of_run(setting) + seconds_of_run(baseline))


def seconds_of_run(setting: Setting) -> float:
    values = [float(run['seconds']) for run in setting.runs.values()
              if run.get('seconds')]
    return statistics.mean(values) if values else math.nan


def power_table(settings: list[Setting], effects: Sequence[float],
                workers: int) -> str | None:
    """Write how many seeds each effect needs; None without two seeds.

    Args:
        settings (list[Setting]): Results of a pilot.
        effects (Sequence[float]): In points.
        workers (int): How many runs are trained at a time.
    """
    rows = []
    for group in by_harmonizer(settings).values():
        pilots = [found for found in (pilot(setting, settings)
                                      for setting in group) if found]
        rows += [(*found.setting[:3], *cells([found], effects, workers))
                 for found in pilots]
        if len(pilots) > 1:
            rows.append((ALL, ALL, group[0].harmonizer,
                         *cells(pilots, effects, workers)))
    if not rows:
        return None
    header = *HEADER, *(f'for {effect:g} points' for effect in effects)
    return markdown_table(header, rows, text_columns=3)


def cells(pilots: Sequence[Pilot], effects: Sequence[float],
          workers: int) -> list[str]:
    """Write seeds and spread of the pilot, and for each effect the seeds that
    it needs, and the time of these."""
    spreads = [found.spread for found in pilots]
    seconds = sum(found.seconds for found in pilots) / workers
    texts = [str(min(found.seeds for found in pilots)),
             f'{statistics.mean(spreads):.1f}']
    for effect in effects:
        seeds = seeds_for(effect, spreads)
        time = '' if math.isnan(seconds) else (
            f' ({timedelta(seconds=round(seeds * seconds))})')
        texts.append(f'{seeds}{time}')
    return texts
