"""Walking through what is nested: features as networks return them, and the
settings of a config."""
from __future__ import annotations

from typing import Any, Iterator, Mapping

from torch import Tensor


def flatten_tensors(nested: Any) -> list[Tensor]:
    """Return the tensors in nested tuples and lists; None counts as none."""
    if nested is None:
        return []
    if isinstance(nested, Tensor):
        return [nested]
    return [tensor for item in nested for tensor in flatten_tensors(item)]


def nested_dicts(node: Any, path: str = '') -> Iterator[tuple[str, Mapping]]:
    """Yield each dict in nested dicts, lists and tuples, with its name, such
    as ``train_dataloader.dataset.pipeline.0``; that of the node is ``path``.
    """
    if isinstance(node, Mapping):
        yield path, node
        items = node.items()
    elif isinstance(node, (list, tuple)):
        items = enumerate(node)
    else:
        return
    for name, item in items:
        yield from nested_dicts(item, f'{path}.{name}' if path else str(name))
