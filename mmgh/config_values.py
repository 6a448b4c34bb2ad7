"""Values in a config that would fail far from where they stand."""
from __future__ import annotations

from typing import Mapping

from mmgh.arguments import COUNT


def check_values(cfg: Mapping) -> None:
    """Refuse a training without a length.

    The first to ask for the length is a schedule, as its ``end``.

    Args:
        cfg (Mapping): A config.

    Raises:
        InputError: If the length is no whole number of at least 1.
    """
    loop = cfg.get('train_cfg')
    if isinstance(loop, Mapping):
        for name in ('max_iters', 'max_epochs'):
            if loop.get(name) is not None:
                COUNT.check(**{f'train_cfg.{name}': loop[name]})
