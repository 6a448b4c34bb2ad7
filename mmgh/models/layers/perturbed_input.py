from __future__ import annotations

from contextlib import contextmanager
from typing import Iterator

import torch
from torch import Tensor, nn


@contextmanager
def perturbed_input(layer: nn.Module, strength: Tensor) -> Iterator[None]:
    """Within it, each sample in a layer's input moves towards another one.

    Args:
        layer (nn.Module): Its first input has the shape ``(N, ...)``.
        strength (Tensor): Scalar; how far, from 0 to 1.
    """

    def perturb(_, inputs: tuple) -> tuple:
        tokens, *others = inputs
        size = len(tokens)
        steps = torch.randint(1, max(size, 2), (size, ), device=tokens.device)
        other = (torch.arange(size, device=tokens.device) + steps) % size
        fixed = tokens.detach()
        return (tokens + strength * (fixed[other] - fixed), *others)

    handle = layer.register_forward_pre_hook(perturb)
    try:
        yield
    finally:
        handle.remove()
