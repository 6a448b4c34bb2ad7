"""What a study's runs say: one difference per setting, and over all."""
from __future__ import annotations

import csv
import statistics
from pathlib import Path
from typing import NamedTuple, Sequence

from scipy import stats

COLUMNS = ('pair', 'method', 'harmonizer', 'seed', 'baseline', 'accuracy',
           'conflict', 'angle')


class Setting(NamedTuple):
    """The runs of one pair of domains, method and harmonizer; by seed."""

    pair: str
    method: str
    harmonizer: str
    runs: dict[int, dict]

    @property
    def baseline(self) -> str:
        """The harmonizer that this one is compared with."""
        return next(iter(self.runs.values()))['baseline']

    def values(self, name: str) -> list[float]:
        return [float(run[name]) for run in self.runs.values() if run[name]]


class Interval(NamedTuple):
    """A mean and its 95 % confidence interval, by Student's t."""

    mean: float
    half_width: float

    def __str__(self) -> str:
        return (f'{self.mean - self.half_width:+.1f} to '
                f'{self.mean + self.half_width:+.1f}')


def read_results(path: Path) -> list[Setting]:
    """The settings, in the order in which the CSV first names them.

    Raises:
        SystemExit: If it is no table of tools/study.py, or has no runs.
    """
    if not path.exists():
        raise SystemExit(f'There is no {path}.')
    settings: dict[tuple, Setting] = {}
    with open(path, newline='') as file:
        reader = csv.DictReader(file)
        lacking = [n for n in COLUMNS if n not in (reader.fieldnames or ())]
        if lacking:
            raise SystemExit(f'{path} is no table of tools/study.py: it has '
                             f'no {lacking}.')
        for run in reader:
            key = run['pair'], run['method'], run['harmonizer']
            setting = settings.setdefault(key, Setting(*key, {}))
            setting.runs[int(run['seed'])] = run
    if not settings:
        raise SystemExit(f'{path} has no runs.')
    return list(settings.values())


def interval(values: Sequence[float]) -> Interval | None:
    """None for fewer than two values."""
    if len(values) < 2:
        return None
    error = statistics.stdev(values) / len(values)**0.5
    quantile = float(stats.t.ppf(0.975, len(values) - 1))
    return Interval(statistics.mean(values), quantile * error)


def differences(setting: Setting, settings: list[Setting]) -> list[float]:
    """Of the accuracy to the baseline's of the same pair, method and seed, in
    points; empty for a baseline."""
    if setting.harmonizer == setting.baseline:
        return []
    plain = next((other.runs for other in settings
                  if other[:3] == (*setting[:2], setting.baseline)), {})
    return [
        float(run['accuracy']) - float(plain[seed]['accuracy'])
        for seed, run in setting.runs.items() if seed in plain
    ]


def differences_of_harmonizers(
        settings: list[Setting]) -> dict[str, list[list[float]]]:
    """By harmonizer: the differences of each pair and method it was used
    on."""
    by_harmonizer: dict[str, list[list[float]]] = {}
    for setting in settings:
        paired = differences(setting, settings)
        if paired:
            by_harmonizer.setdefault(setting.harmonizer, []).append(paired)
    return by_harmonizer
