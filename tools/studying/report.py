"""Table and plots of a study."""
from __future__ import annotations

import statistics
from collections import defaultdict
from pathlib import Path

from mmgh.analysis.plots import (COLOURS, MARKERS, names_as_they_are, save,
                                 subplots)
from mmgh.analysis.tables import markdown_table, spread
from .results import Setting, differences, differences_of_harmonizers, interval

HEADER = ('method', 'harmonizer', 'seeds', 'accuracy (%)', 'difference',
          '95 % interval', 'in conflict (%)', 'angle (degrees)')
OVERALL = ('harmonizer', 'pairs and methods', 'runs', 'mean difference',
           '95 % interval', 'better in', 'worst', 'best')


def row(setting: Setting, settings: list[Setting]) -> tuple:
    change = interval(differences(setting, settings))
    return (setting.method, setting.harmonizer, str(len(setting.runs)),
            spread(setting.values('accuracy')),
            f'{change.mean:+.1f}' if change else '-', str(change or '-'),
            spread([100 * value for value in setting.values('conflict')]),
            spread(setting.values('angle')))


def overall_row(harmonizer: str, changes: list[list[float]]) -> tuple:
    """Count each pair and method once, however many seeds it has."""
    means = [statistics.mean(paired) for paired in changes]
    return (harmonizer, str(len(means)), str(sum(map(len, changes))),
            f'{statistics.mean(means):+.1f}', str(interval(means) or '-'),
            str(sum(mean > 0 for mean in means)), f'{min(means):+.1f}',
            f'{max(means):+.1f}')


def markdown(settings: list[Setting]) -> str:
    """Write a table for each pair of domains, and one over all of them."""
    parts = []
    for pair, group in by_pair(settings).items():
        rows = [row(setting, settings) for setting in group]
        parts.append(f'**{pair}**, last iteration\n')
        parts.append(markdown_table(HEADER, rows, text_columns=2) + '\n')
    changes = differences_of_harmonizers(settings)
    if changes:
        parts.append('**Over pairs and methods**, mean difference of each\n')
        rows = [overall_row(*item) for item in changes.items()]
        parts.append(markdown_table(OVERALL, rows) + '\n')
    return '\n'.join(parts)


def by_pair(settings: list[Setting]) -> dict[str, list[Setting]]:
    groups = defaultdict(list)
    for setting in settings:
        groups[setting.pair].append(setting)
    return groups


@names_as_they_are()
def plot(settings: list[Setting], names: list[str], path: Path, label: str,
         draw) -> None:
    """Draw a panel per pair, a line per method, a colour per harmonizer.

    Args:
        settings: What to draw.
        names: All harmonizers, so that each has one colour in all plots.
        path: PNG to write.
        label: Of what is measured.
        draw: Called with axes, setting, height and style.
    """
    groups = by_pair(settings)
    methods = list(dict.fromkeys(s.method for s in settings))
    height = 1.5 + (0.2 + 0.1 * len(names)) * len(methods)
    figure, panels = subplots(
        1,
        len(groups),
        sharey=True,
        squeeze=False,
        figsize=(2 + 4 * len(groups), height))
    for axes, (pair, group) in zip(panels[0], groups.items()):
        for setting in group:
            number = names.index(setting.harmonizer)
            offset = (number + 0.5) / len(names) - 0.5
            draw(axes, setting, methods.index(setting.method) + 0.7 * offset,
                 dict(color=COLOURS[number % len(COLOURS)],
                      marker=MARKERS[number % len(MARKERS)],
                      label=setting.harmonizer))
        axes.set_title(pair)
        axes.set_xlabel(label)
        axes.grid(alpha=0.3)
    panels[0, 0].set_yticks(range(len(methods)), methods)
    panels[0, 0].set_ylim(len(methods) - 0.5, -0.5)
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
    axes.plot(
        statistics.mean(values), height, linestyle='', markersize=5, **style)


def report(settings: list[Setting], folder: Path) -> None:
    """Write the table and the plots; print the table."""
    folder.mkdir(parents=True, exist_ok=True)
    table = markdown(settings)
    (folder / 'study.md').write_text(table)
    print(table)
    names = list(dict.fromkeys(s.harmonizer for s in settings))
    plot(settings, names, folder / 'accuracies.png', 'target accuracy (%)',
         draw_accuracies)
    changed = [s for s in settings if interval(differences(s, settings))]
    path = folder / 'differences.png'
    path.unlink(missing_ok=True)

    def draw_difference(axes, setting, height, style) -> None:
        change = interval(differences(setting, settings))
        axes.axvline(0, color='grey', linewidth=1)
        axes.errorbar(
            change.mean,
            height,
            xerr=change.high - change.mean,
            linestyle='',
            capsize=3,
            markersize=5,
            **style)

    if changed:
        plot(changed, names, path,
             'difference to the baseline\n(points, 95 % interval)',
             draw_difference)
