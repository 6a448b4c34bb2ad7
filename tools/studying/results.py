"""The results of the runs of a study, and their table."""
from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Iterable, NamedTuple, Sequence

from mmgh.analysis.units import unit_of
from mmgh.input_error import InputError

COLUMNS = ('pair', 'method', 'harmonizer', 'seed', 'baseline', 'accuracy',
           'conflict', 'angle')
# Names of metrics, where they are written in another way.
_WRITTEN = {'f1-score': 'F1 score'}
# Numbers that a run may lack.
_FURTHER = ('conflict', 'angle', 'chosen_accuracy', 'strength')


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


def read_result(work_dir: Path) -> dict | None:
    """Read what a run gave; None where it is not finished."""
    try:
        return json.loads((work_dir / 'result.json').read_text())
    except (OSError, ValueError):
        return None


def results_below(out: Path) -> list[dict]:
    """Read the results of all finished runs of a folder."""
    results = map(read_result, (path.parent for path in sorted(
        out.glob('*/*/*/*/result.json'))))
    return [result for result in results if result]


def names(result: dict) -> tuple:
    """Tell runs apart: by pair, method, harmonizer and seed."""
    return (result['pair'], result['method'], result['harmonizer'],
            int(result['seed']))


def write_results(path: Path, results: Iterable[dict],
                  order: Sequence[tuple]) -> None:
    """Write a line per run.

    Args:
        path (Path): CSV to write.
        results (Iterable[dict]): Of two of the same names the last one.
        order (Sequence[tuple]): Names of runs that come first.
    """
    rank = {run: number for number, run in enumerate(order)}
    single = {names(result): result for result in results}
    rows = [single[run] for run in sorted(
        single, key=lambda run: (rank.get(run, len(rank)), run))]
    columns = dict.fromkeys(name for row in rows for name in row)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, 'w', newline='') as file:
        writer = csv.DictWriter(file, fieldnames=list(columns))
        writer.writeheader()
        writer.writerows(rows)


def read_runs(path: Path) -> list[dict]:
    """Read the runs of a table.

    Raises:
        FileNotFoundError: If there is no such file.
        InputError: If it is no table of `mmgh study`, if a line has no
            numbers where they should be, or if it has no runs.
    """
    if not path.exists():
        raise FileNotFoundError(f'There is no {path}.')
    with open(path, newline='') as file:
        reader = csv.DictReader(file)
        lacking = [n for n in COLUMNS if n not in (reader.fieldnames or ())]
        if lacking:
            raise InputError(f'{path} is no table of `mmgh study`: it has no '
                             f'{lacking}.')
        runs = []
        for run in reader:
            _check(run, f'{path}, line {reader.line_num},')
            runs.append(run)
    if not runs:
        raise InputError(f'{path} has no runs.')
    return runs


def _check(run: dict, place: str) -> None:
    """Refuse a line that is no run, such as the header of another table."""
    if run['seed'] == 'seed':
        raise InputError(f'{place} should be a run, but is the header of '
                         'another table. Remove it, if its columns are those '
                         'of the first line.')
    _check_number(run, 'seed', place, int, 'a whole number')
    for name in ('accuracy', *filter(run.get, _FURTHER)):
        _check_number(run, name, place)


def _check_number(run: dict, name: str, place: str, kind: type = float,
                  rule: str = 'a number') -> None:
    try:
        kind(run[name] or '')  # a line that is too short has None
    except ValueError as error:
        raise InputError(f'{place} should have {rule} as `{name}`, but has '
                         f'{run[name]!r}.') from error


def settings_of(runs: Iterable[dict]) -> list[Setting]:
    """Group runs by setting, in the order in which these come first."""
    settings: dict[tuple, Setting] = {}
    for run in runs:
        *key, seed = names(run)
        setting = settings.setdefault(tuple(key), Setting(*key, {}))
        setting.runs[seed] = run
    return list(settings.values())


def metric_name(settings: list[Setting]) -> str:
    """Return what the accuracies are, as tables name it."""
    name = next(iter(settings[0].runs.values())).get('metric') or 'accuracy'
    if 'accuracy' in name:
        return 'accuracy (%)'
    item = name.rpartition('/')[-1]
    # The others are scores that a study has scaled to percent.
    unit = '%' if unit_of(name) == '%' else '% of the most'
    return f"{_WRITTEN.get(item, item.replace('_', ' '))} ({unit})"


def find(settings: list[Setting], pair: str, method: str,
         harmonizer: str) -> Setting:
    """Find a setting; one without runs if there is none."""
    names = pair, method, harmonizer
    return next((setting for setting in settings if setting[:3] == names),
                Setting(*names, {}))


def differences(setting: Setting, other: Setting) -> list[float]:
    """Subtract from each accuracy the other's of the same seed, in points;
    empty for the same setting."""
    if setting is other:
        return []
    return [
        float(run['accuracy']) - float(other.runs[seed]['accuracy'])
        for seed, run in setting.runs.items() if seed in other.runs
    ]
