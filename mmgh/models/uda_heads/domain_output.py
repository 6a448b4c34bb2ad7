from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class DomainOutput(NamedTuple):
    """What a classifier says of a batch of one domain."""

    features: Tensor
    """Input of the last classification layer, shape ``(N, D)``."""

    logits: Tensor
    """Class scores before softmax, shape ``(N, C)``."""
