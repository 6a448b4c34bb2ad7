"""Values in a config that would fail far from where they stand."""
from __future__ import annotations

from typing import Mapping

from mmgh.arguments import COUNT, number

_NONE_OR_MORE = number(at_least=0, whole=True)
_NOT_NEGATIVE = number(at_least=0)
# Of loaders torch does not say which one it was; the seed is refused by numpy,
# the length first by a schedule, as its `end`, and YAML reads 1e-3 as a text.
_RULES = {
    'train_cfg.max_iters': COUNT,
    'train_cfg.max_epochs': COUNT,
    'randomness.seed': number(at_least=0, below=2**32, whole=True),
    'optim_wrapper.optimizer.lr': _NOT_NEGATIVE,
    'optim_wrapper.optimizer.momentum': _NOT_NEGATIVE,
    'optim_wrapper.optimizer.weight_decay': _NOT_NEGATIVE,
    **{
        f'{kind}_dataloader.{name}': rule
        for kind in ('train', 'val', 'test')
        for name, rule in dict(
            batch_size=COUNT, num_workers=_NONE_OR_MORE).items()
    },
}


def check_values(cfg: Mapping) -> None:
    """Refuse values of a config by their name.

    Args:
        cfg (Mapping): A config.

    Raises:
        InputError: If a length, a batch size, a number of workers, the seed or
            a rate is no such number.
    """
    for path, rule in _RULES.items():
        outermost, *inner = path.split('.')
        node = cfg.get(outermost)
        for name in inner:
            node = node.get(name) if isinstance(node, Mapping) else None
        if node is not None:
            rule.check(**{path: node})
