"""Geometry of gradients, read off their Gramian."""
from __future__ import annotations

from typing import Sequence

import torch
from torch import Tensor


def pair_cosine(gramian: Tensor) -> Tensor:
    """Cosine of the angle between two gradients.

    Args:
        gramian (Tensor): Inner products of the gradients, shape ``(2, 2)``.

    Returns:
        Tensor: A scalar in [-1, 1]. It is 0 (no conflict) where the angle is
        undefined: a zero gradient, or an infinite or NaN entry.
    """
    norms = gramian.diagonal().clamp(min=0).sqrt()
    # One division after the other: the product of the norms may overflow.
    cosine = gramian[0, 1] / norms[0] / norms[1]
    defined = gramian.isfinite().all() & (norms > 0).all()
    return torch.where(defined, cosine, torch.zeros_like(cosine)).clamp(-1, 1)


def sub_gramian(gramian: Tensor, tasks: Sequence[int]) -> Tensor:
    """Gramian of some of the tasks, in the order given.

    Args:
        gramian (Tensor): Shape ``(K, K)``.
        tasks (Sequence[int]): Indices of k tasks.

    Returns:
        Tensor: Shape ``(k, k)``.
    """
    return torch.stack(
        [torch.stack([gramian[i, j] for j in tasks]) for i in tasks])
