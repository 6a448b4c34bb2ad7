"""In which settings runs differ."""
from __future__ import annotations

import inspect
from typing import Any, Iterator

from mmengine.config import Config
from mmengine.runner import Runner

ABSENT = '(not set)'
IMPORTANT = ('optim_wrapper', 'model', 'train_dataloader', 'param_scheduler',
             'train_cfg', 'randomness')
# Other names in a config only help to write it. Those that are left out
# differ in any two runs, and say nothing of the training.
NAMES = set(inspect.signature(Runner).parameters) - {
    'work_dir', 'resume', 'load_from', 'launcher', 'experiment_name'
}


def differing_settings(configs: list[Config]) -> dict[str, list[str]]:
    """Settings that are not the same in all configs.

    Returns:
        dict[str, list[str]]: By name, such as ``optim_wrapper.type``: the
        value in each config. What a comparison is about comes first.
    """
    flat = [dict(flatten(cfg.to_dict())) for cfg in configs]
    names = dict.fromkeys(name for values in flat for name in values)
    rows = {
        name: [values.get(name, ABSENT) for values in flat]
        for name in names if name.split('.')[0] in NAMES
    }
    names = [name for name in rows if len(set(rows[name])) > 1]
    return {name: rows[name] for name in sorted(names, key=_rank)}


def _rank(name: str) -> int:
    part = name.split('.')[0]
    return IMPORTANT.index(part) if part in IMPORTANT else len(IMPORTANT)


def flatten(value: Any, name: str = '') -> Iterator[tuple[str, str]]:
    """Names and values of all that is not a dict, or a list of dicts."""
    if isinstance(value, dict) and value:
        items = value.items()
    elif isinstance(value, (list, tuple)) and any(
            isinstance(item, dict) for item in value):
        items = enumerate(value)
    else:
        yield name, repr(value)
        return
    for key, item in items:
        yield from flatten(item, f'{name}.{key}' if name else str(key))
