"""Tensors in nested tuples and lists, as networks return features."""
from __future__ import annotations

from typing import Any

from torch import Tensor


def flatten_tensors(nested: Any) -> list[Tensor]:
    """Return the tensors in nested tuples and lists; None counts as none."""
    if nested is None:
        return []
    if isinstance(nested, Tensor):
        return [nested]
    return [tensor for item in nested for tensor in flatten_tensors(item)]
