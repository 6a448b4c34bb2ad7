"""A run that is resumed with another config than it had so far."""
from __future__ import annotations

import logging
from typing import Any, Iterator, Mapping

from mmengine.config import Config
from mmengine.logging import print_log

from mmgh.config_text import read_assignments

# What makes a training another one, and what makes its validations others.
_CONSEQUENCES = {
    'The resumed run is neither the one nor the other':
    ('custom_hooks', 'data_preprocessor', 'model', 'optim_wrapper',
     'randomness', 'train_dataloader'),
    'Validations are not to be compared with those so far':
    ('val_dataloader', 'val_evaluator'),
}
# What is told more exactly: by what was built of it; or changes no iteration.
_TOLD_ELSEWHERE = ('batch_size', 'sampler', 'accumulative_counts',
                   'paramwise_cfg')
_NO_MATTER = ('num_workers', 'persistent_workers', 'pin_memory',
              'prefetch_factor', 'init_cfg')


def warn_of_other_config(checkpoint: Mapping, cfg: Config) -> None:
    """Warn of settings that are others than those of the run so far.

    Args:
        checkpoint (Mapping): To resume from.
        cfg (Config): Of the resumed run.
    """
    try:
        before = read_assignments(checkpoint['meta']['cfg'])
        now = read_assignments(cfg.pretty_text)
    except (KeyError, ValueError):  # of another tool, or more than values
        return
    for consequence, names in _CONSEQUENCES.items():
        changes = [
            change for name in names
            for change in _changes(name, before.get(name), now.get(name))
        ]
        if changes:
            print_log(
                f'{consequence}, as these settings are no more those of the '
                f"run so far: {'; '.join(changes)}.",
                logger='current',
                level=logging.WARNING)


def _changes(path: str, before: Any, now: Any) -> Iterator[str]:
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        for name in {**before, **now}:
            if name == 'optimizer':
                # Its state is that of the other.
                yield from _changes(
                    f'{path}.optimizer.type', *((part.get(name) or {}).get(
                        'type') for part in (before, now)))
            elif name not in (*_TOLD_ELSEWHERE, *_NO_MATTER):
                yield from _changes(f'{path}.{name}', before.get(name),
                                    now.get(name))
    elif repr(before) != repr(now):
        yield f'{path} is {now!r}, was {before!r}'
