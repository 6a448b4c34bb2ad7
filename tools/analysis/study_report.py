"""A study's table and plots, from its CSV.

    python tools/analysis/study_report.py work_dirs/study/study.csv

writes study.md, accuracies.png and differences.png beside it.
"""
from __future__ import annotations

import argparse
import csv
import statistics
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

# Before anything of OpenMMLab: it may repair an import of theirs.
import mmgh  # noqa: F401
from mmgh.analysis.plots import COLOURS, pyplot, save
from mmgh.analysis.tables import markdown_table, spread
from scipy import stats

COLUMNS = ('pair', 'method', 'harmonizer', 'seed', 'baseline', 'accuracy',
           'conflict', 'angle')
HEADER = ('method', 'harmonizer', 'seeds', 'accuracy (%)', 'difference',
          '95 % interval', 'in conflict (%)', 'angle (degrees)')


class Setting(NamedTuple):
    """The runs of one pair of domains, method and harmonizer; by seed."""

    pair: str
    method: str
    harmonizer: str
    runs: dict[int, dict]

    def values(self, name: str) -> list[float]:
        return [float(run[name]) for run in self.runs.values() if run[name]]


class Difference(NamedTuple):
    """Of the accuracy to the baseline's of the same seeds, in points."""

    mean: float
    half_width: float
    """Of the 95 % confidence interval, by Student's t distribution."""


def read_results(path: Path) -> list[Setting]:
    """The settings, in the order in which the CSV first names them."""
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


def difference(setting: Setting, settings: list[Setting]) -> Difference | None:
    """None for a baseline, or with fewer than two seeds in common."""
    baseline = next(iter(setting.runs.values()))['baseline']
    if setting.harmonizer == baseline:
        return None
    plain = next((other.runs for other in settings
                  if other[:3] == (setting.pair, setting.method, baseline)),
                 {})
    paired = [
        float(run['accuracy']) - float(plain[seed]['accuracy'])
        for seed, run in setting.runs.items() if seed in plain
    ]
    if len(paired) < 2:
        return None
    error = statistics.stdev(paired) / len(paired)**0.5
    quantile = float(stats.t.ppf(0.975, len(paired) - 1))
    return Difference(statistics.mean(paired), quantile * error)


def row(setting: Setting, settings: list[Setting]) -> tuple:
    change = difference(setting, settings)
    interval = '-'
    if change:
        interval = (f'{change.mean - change.half_width:+.1f} to '
                    f'{change.mean + change.half_width:+.1f}')
    return (setting.method, setting.harmonizer, str(len(setting.runs)),
            spread(setting.values('accuracy')),
            f'{change.mean:+.1f}' if change else '-', interval,
            spread([100 * value for value in setting.values('conflict')]),
            spread(setting.values('angle')))


def markdown(settings: list[Setting]) -> str:
    """A table for each pair of domains."""
    parts = []
    for pair, group in by_pair(settings).items():
        rows = [row(setting, settings) for setting in group]
        parts.append(f'**{pair}**, last iteration\n')
        parts.append(markdown_table(HEADER, rows, text_columns=2))
        parts.append('')
    return '\n'.join(parts)


def by_pair(settings: list[Setting]) -> dict[str, list[Setting]]:
    groups = defaultdict(list)
    for setting in settings:
        groups[setting.pair].append(setting)
    return groups


def plot(settings: list[Setting], names: list[str], path: Path, label: str,
         draw) -> None:
    """One panel per pair, one line per method, one colour per harmonizer.

    Args:
        settings: What to draw.
        names: All harmonizers, so that each has one colour in all plots.
        path: PNG to write.
        label: Of what is measured.
        draw: Called with axes, setting, height and style.
    """
    groups = by_pair(settings)
    methods = list(dict.fromkeys(s.method for s in settings))
    figure, panels = pyplot.subplots(
        1,
        len(groups),
        sharey=True,
        squeeze=False,
        figsize=(2 + 4 * len(groups), 1.5 + 0.45 * len(methods)),
        layout='constrained')
    for axes, (pair, group) in zip(panels[0], groups.items()):
        for setting in group:
            number = names.index(setting.harmonizer)
            offset = (number + 0.5) / len(names) - 0.5
            draw(axes, setting, methods.index(setting.method) + 0.7 * offset,
                 dict(color=COLOURS[number % len(COLOURS)],
                      label=setting.harmonizer))
        axes.set_title(pair)
        axes.set_xlabel(label)
        axes.grid(alpha=0.3)
    panels[0, 0].set_yticks(range(len(methods)), methods)
    panels[0, 0].invert_yaxis()
    handles = {}
    for axes in panels[0]:
        handles.update(zip(*axes.get_legend_handles_labels()[::-1]))
    figure.legend(
        handles.values(), handles.keys(), loc='outside lower center', ncols=6)
    save(figure, path)


def draw_accuracies(axes, setting, height, style) -> None:
    values = setting.values('accuracy')
    axes.plot(values, [height] * len(values), '.', alpha=0.5,
              color=style['color'])
    axes.plot(statistics.mean(values), height, 'D', markersize=5, **style)


def report(settings: list[Setting], folder: Path) -> None:
    """Write the table and the plots; print the table."""
    table = markdown(settings)
    (folder / 'study.md').write_text(table)
    print(table)
    names = list(dict.fromkeys(s.harmonizer for s in settings))
    plot(settings, names, folder / 'accuracies.png', 'target accuracy (%)',
         draw_accuracies)
    changed = [s for s in settings if difference(s, settings)]
    differences = folder / 'differences.png'
    differences.unlink(missing_ok=True)

    def draw_difference(axes, setting, height, style) -> None:
        change = difference(setting, settings)
        axes.axvline(0, color='grey', linewidth=1)
        axes.errorbar(
            change.mean, height, xerr=change.half_width, fmt='D', capsize=3,
            markersize=5, **style)

    if changed:
        plot(changed, names, differences,
             'difference to the baseline\n(points, 95 % interval)',
             draw_difference)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('csv', type=Path, help='study.csv of tools/study.py')
    args = parser.parse_args()
    report(read_results(args.csv), args.csv.parent)


if __name__ == '__main__':
    main()
