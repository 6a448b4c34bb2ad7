"""Tensors in nested tuples and lists, as networks return features."""
from __future__ import annotations

from typing import Any, Callable

from torch import Tensor


def flatten_tensors(nested: Any) -> list[Tensor]:
    """The tensors in nested tuples and lists; None counts as no tensor."""
    if nested is None:
        return []
    if isinstance(nested, Tensor):
        return [nested]
    return [tensor for item in nested for tensor in flatten_tensors(item)]


def map_tensors(function: Callable[[Tensor], Tensor], nested: Any) -> Any:
    """A function of every tensor in nested tuples and lists; None stays."""
    if nested is None:  # InceptionV3 without its auxiliary branch
        return None
    if isinstance(nested, Tensor):
        return function(nested)
    return type(nested)(map_tensors(function, item) for item in nested)
