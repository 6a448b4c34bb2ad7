"""Table and plots of a study."""
from __future__ import annotations

import statistics
from pathlib import Path

from mmgh.analysis.tables import markdown_table, spread
from .comparison import LEVEL
from .contrast import Contrast, by_harmonizer, contrast
from .over_pairs import over_pairs
from .plots import by_pair, plot_accuracies, plot_differences
from .results import Setting, differences, find, metric_name
from .robustness import plot_robustness

COMPARED = ('95 % interval', 'smallest effect', 'null', 'verdict')
HEADER = ('method', 'harmonizer', 'seeds', '{metric}', 'difference',
          *COMPARED, 'in conflict (%)', 'angle (degrees)')
OVERALL = ('harmonizer', 'pairs and methods', 'runs', 'mean difference',
           *COMPARED, 'better in', 'worst', 'best')
NOTES = '''
Differences are in points, to the baseline with the same seeds. Smallest
effect: what so many seeds find in four of five studies, by the spread of the
differences (two-sided, 5 %). Null: difference of a training that differs from
the baseline by roundings only.
'''


def row(setting: Setting, settings: list[Setting]) -> tuple:
    change = contrast([setting], settings)
    return (setting.method, setting.harmonizer, str(len(setting.runs)),
            spread(setting.values('accuracy')),
            f'{change.baseline.mean:+.1f}' if change.baseline else '-',
            *compared(change),
            spread([100 * value for value in setting.values('conflict')]),
            spread(setting.values('angle')))


def compared(change: Contrast) -> tuple:
    """Return the cells of COMPARED."""
    found, null = change.baseline, change.null_to_baseline
    if found is None:
        return ('-', ) * len(COMPARED)
    beside = null and not change.of_null
    return (str(found.interval), f'{found.detectable:.1f}',
            str(null) if beside else '-',
            change.verdict)


def overall_row(group: list[Setting], settings: list[Setting]) -> tuple:
    """Count each pair and method once, however many seeds it has."""
    changes = [
        differences(setting, find(settings, *setting[:2], setting.baseline))
        for setting in group
    ]
    means = [statistics.mean(paired) for paired in changes]
    return (group[0].harmonizer, str(len(means)), str(sum(map(len, changes))),
            f'{statistics.mean(means):+.1f}',
            *compared(contrast(group, settings)),
            str(sum(mean > 0 for mean in means)), f'{min(means):+.1f}',
            f'{max(means):+.1f}')


def by_chance(settings: list[Setting]) -> str:
    """Say how many intervals would exclude zero if nothing differed."""
    parts = []
    changes = [contrast([setting], settings) for setting in settings]
    for of_null, name in ((False, 'intervals above'), (True, 'of the null')):
        found = [change.baseline.excludes_zero for change in changes
                 if change.baseline and change.of_null == of_null]
        if found:
            parts.append(f'{sum(found)} of the {len(found)} {name} exclude 0, '
                         f'by chance alone {LEVEL * len(found):.1f} would')
    return '; '.join(parts) + '.' if parts else ''


def markdown(settings: list[Setting]) -> str:
    """Write a table for each pair of domains, and one over all of them."""
    parts = []
    for pair, group in by_pair(settings).items():
        rows = [row(setting, settings) for setting in group]
        parts.append(f'**{pair}**, last iteration\n')
        header = [name.format(metric=metric_name(group)) for name in HEADER]
        parts.append(markdown_table(header, rows, text_columns=2) + '\n')
    groups = by_harmonizer(settings)
    if groups:
        notes = NOTES.strip(), by_chance(settings)
        parts.append('\n\n'.join(filter(None, notes)) + '\n')
        parts.append(over_pairs(settings))
        parts.append('**Over pairs and methods**, mean difference of each; '
                     'the interval is for these, not for others\n')
        rows = [overall_row(group, settings) for group in groups.values()]
        parts.append(markdown_table(OVERALL, rows) + '\n')
    return '\n'.join(parts)


def report(settings: list[Setting], folder: Path) -> None:
    """Write the table and the plots; print the table."""
    folder.mkdir(parents=True, exist_ok=True)
    table = markdown(settings)
    (folder / 'study.md').write_text(table)
    print(table)
    plot_accuracies(settings, folder / 'accuracies.png')
    plot_differences(settings, folder / 'differences.png')
    plot_robustness(settings, folder / 'robustness.png')
