"""The first lines of a page: results, and settings."""
from __future__ import annotations

from math import isnan

from mmgh.analysis.run_log import chosen_accuracy
from .page import Section, Table
from .report_run import ReportRun
from .settings import differing_settings

# More hide what matters.
MOST_SETTINGS = 10
HEADER = ('run', 'target accuracy, last (%)',
          'chosen without target labels (%)', 'best (%, oracle)',
          'in conflict (%)', 'mean angle (degrees)', 'iterations', 'seed',
          'training time (s)')


def summary(runs: list[ReportRun]) -> Section:
    metrics = ' or '.join(dict.fromkeys(run.metric for run in runs))
    return Section(
        'Results',
        f'Target accuracy ({metrics}) is that of the last checkpoint. The '
        'best one was found with target labels: nobody without them could '
        'choose it.',
        Table(HEADER, [_row(run) for run in runs]))


def settings(runs: list[ReportRun]) -> Section:
    listings = {
        f'All settings of {run.name}': run.settings.pretty_text for run in runs
    }
    if len(runs) == 1:
        return Section('Settings', listings=listings)
    differing = differing_settings([run.settings for run in runs])
    rows = [(name, *values) for name, values in differing.items()]
    header = ('setting', *(run.name for run in runs))
    if len(rows) > MOST_SETTINGS:
        listings[f'All {len(rows)} settings that differ'] = '\n'.join(
            ': '.join((name, ' | '.join(values))) for name, *values in rows)
    text = ('These differ.' if differing else 'The runs have the same '
            'settings.')
    table = Table(header, rows[:MOST_SETTINGS])
    return Section('Settings', text, table if differing else None,
                   listings=listings)


def _row(run: ReportRun) -> tuple:
    history = run.trained.history
    seconds = history.get('train/time')
    seed = run.settings.get('randomness', {}).get('seed')
    accuracies = list(run.accuracies.values())
    chosen = chosen_accuracy(run.work_dir, run.accuracies)
    return (
        run.name,
        f'{accuracies[-1]:.1f}' if run.is_validated else '-',
        '-' if isnan(chosen) else f'{chosen:.1f}',
        f'{max(accuracies):.1f}' if accuracies else '-',
        _each(100 * pair.conflicts.mean() for pair in run.pairs),
        _each(pair.angles.mean() for pair in run.pairs),
        str(run.trained.iteration),
        '-' if seed is None else str(seed),
        '-' if seconds is None else f'{seconds.sum():.0f}',
    )


def _each(values) -> str:
    """One number for each pair of tasks."""
    return ', '.join(f'{value:.1f}' for value in values) or '-'
