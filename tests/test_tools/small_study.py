"""A study that trains for seconds."""
from __future__ import annotations

from pathlib import Path

from .short_runs import SHORT

STUDY = Path(__file__).parents[2] / 'tools/study.py'
CONFIGS = Path(__file__).parents[2] / 'configs'
LENET = 'lenet_1xb32-1k_digits-digits2digitsm.py'
PAIR = 'Digits -> DigitsM'


def write_study(folder: Path, **changes) -> Path:
    """Two methods, of which source-only has nothing to be harmonized."""
    options = dict(option.split('=') for option in SHORT)
    study = {
        'pairs': {
            PAIR: dict(config=f'{CONFIGS}/_base_/datasets/digits2digitsm.py')
        },
        'methods': {
            'source-only':
            dict(
                config=str(CONFIGS / f'source_only/source-only_{LENET}'),
                harmonizers=['none']),
            'DANN':
            dict(config=str(CONFIGS / f'dann/dann_{LENET}')),
        },
        'harmonizers': {
            'none': dict(),
            'GH, shared':
            dict(
                suffix='-gh',
                options={
                    'optim_wrapper.apply_to': 'shared',
                    'optim_wrapper.max_weight': float('inf')
                }),
        },
        'baseline': 'none',
        'null': False,
        'seeds': [3, 4],
        'options': {key: int(value) for key, value in options.items()},
    }
    study.update(changes)
    path = folder / 'study.py'
    lines = (f'{k} = {v!r}' for k, v in study.items())
    path.write_text('\n'.join(["inf = float('inf')", *lines]))
    return path
