"""The results of the runs of a study, and their table."""
from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import NamedTuple, Sequence

from mmgh.input_error import InputError

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


def read_result(work_dir: Path) -> dict | None:
    """Read what a run gave; None where it is not finished."""
    try:
        return json.loads((work_dir / 'result.json').read_text())
    except (OSError, ValueError):
        return None


def write_results(out: Path, planned: Sequence[Path]) -> Path:
    """Write a line per finished run below `out`.

    Args:
        out (Path): Folder of the study.
        planned (Sequence[Path]): Folders of runs that come first.
    """
    order = {folder: number for number, folder in enumerate(planned)}
    folders = sorted((path.parent for path in out.glob('*/*/*/*/result.json')),
                     key=lambda folder:
                     (order.get(folder, len(order)), folder))
    results = [result for result in map(read_result, folders) if result]
    names = dict.fromkeys(name for result in results for name in result)
    path = out / 'study.csv'
    with open(path, 'w', newline='') as file:
        writer = csv.DictWriter(file, fieldnames=list(names))
        writer.writeheader()
        writer.writerows(results)
    return path


def read_results(path: Path) -> list[Setting]:
    """Read the settings, in the order in which the CSV first names them.

    Raises:
        FileNotFoundError: If there is no such file.
        InputError: If it is no table of tools/study.py, or has no runs.
    """
    if not path.exists():
        raise FileNotFoundError(f'There is no {path}.')
    settings: dict[tuple, Setting] = {}
    with open(path, newline='') as file:
        reader = csv.DictReader(file)
        lacking = [n for n in COLUMNS if n not in (reader.fieldnames or ())]
        if lacking:
            raise InputError(f'{path} is no table of tools/study.py: it has '
                             f'no {lacking}.')
        for run in reader:
            key = run['pair'], run['method'], run['harmonizer']
            setting = settings.setdefault(key, Setting(*key, {}))
            setting.runs[int(run['seed'])] = run
    if not settings:
        raise InputError(f'{path} has no runs.')
    return list(settings.values())


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
