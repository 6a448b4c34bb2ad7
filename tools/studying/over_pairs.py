"""What each harmonizer changes in each method, on the mean of the pairs."""
from __future__ import annotations

from mmgh.analysis.tables import markdown_table
from .comparison import compare
from .contrast import contrast
from .results import Setting, find

TITLE = '''**Over pairs**: accuracy (%) at the last iteration, and changes in
points with their 95 % intervals, which are for these pairs
'''


def over_pairs(settings: list[Setting]) -> str:
    """Write a line for each method, of the pairs that all of its harmonizers
    have; nothing where there is but one pair."""
    if len({setting.pair for setting in settings}) < 2:
        return ''
    baseline = settings[0].baseline
    others = [name for name in dict.fromkeys(s.harmonizer for s in settings)
              if name != baseline]
    header = ('method', 'pairs', 'seeds', baseline, *others)
    methods = dict.fromkeys(setting.method for setting in settings)
    rows = [_row(method, baseline, others, settings) for method in methods]
    return f'{TITLE}\n{markdown_table(header, rows)}\n'


def _row(method: str, baseline: str, others: list[str],
         settings: list[Setting]) -> tuple:
    of_method = [setting for setting in settings if setting.method == method]
    there = {setting.harmonizer for setting in of_method}
    pairs = [
        pair for pair in dict.fromkeys(s.pair for s in of_method)
        if all(find(of_method, pair, method, name).runs for name in there)
    ]

    def group(harmonizer: str) -> list[Setting]:
        return [find(of_method, pair, method, harmonizer) for pair in pairs]

    plain = group(baseline)
    mean = compare([setting.values('accuracy') for setting in plain])
    changes = [
        contrast(group(name), settings).baseline if name in there else None
        for name in others
    ]
    seeds = sorted({len(setting.runs) for setting in plain}) or [0]
    return (method, str(len(pairs)),
            ' to '.join(map(str, dict.fromkeys([*seeds[:1], *seeds[-1:]]))),
            f'{mean.mean:.1f}' if mean else '-',
            *(str(change or '-') for change in changes))
