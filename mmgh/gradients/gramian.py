"""The Gramian of task gradients, and the geometry read off it."""
from __future__ import annotations

from typing import Iterable, Sequence

import torch
from torch import Tensor

from .task_gradients import TaskGradient


def gramian_of(gradients: Sequence[TaskGradient],
               tensors: Iterable[Tensor],
               scale: Tensor | None = None) -> Tensor:
    """Return the inner products of task gradients over a set of tensors.

    Args:
        gradients (Sequence[TaskGradient]): K of them.
        tensors (Iterable[Tensor]): The set; not empty.
        scale (Tensor, optional): Scalar that all gradients are divided by
            first: products of scaled gradients may overflow. Defaults to
            None.

    Returns:
        Tensor: Shape ``(K, K)``, at least float32.
    """
    tensors = list(tensors)
    rows = [[_inner_product(a, b, tensors, scale) for b in gradients[:i + 1]]
            for i, a in enumerate(gradients)]
    size = range(len(gradients))
    return torch.stack([
        torch.stack([rows[max(i, j)][min(i, j)] for j in size]) for i in size
    ])


def _inner_product(a: TaskGradient, b: TaskGradient,
                   tensors: Sequence[Tensor],
                   scale: Tensor | None) -> Tensor:
    products = []
    for tensor in tensors:
        if tensor in a and tensor in b:
            first, second = _as_vector(a[tensor]), _as_vector(b[tensor])
            if scale is None:
                products.append(torch.dot(first, second))
            else:
                products.append(torch.dot(first / scale, second) / scale)
    if not products:
        return _as_vector(tensors[0].detach()).new_zeros(())
    return torch.stack(products).sum()


def _as_vector(gradient: Tensor) -> Tensor:
    if gradient.dtype in (torch.float16, torch.bfloat16):
        gradient = gradient.float()
    return gradient.flatten()


def pair_cosine(gramian: Tensor) -> Tensor:
    """Return the cosine of the angle between two gradients.

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
    """Return the Gramian of some of the tasks, in the order given.

    Args:
        gramian (Tensor): Shape ``(K, K)``.
        tasks (Sequence[int]): Indices of k tasks.

    Returns:
        Tensor: Shape ``(k, k)``.
    """
    return torch.stack(
        [torch.stack([gramian[i, j] for j in tasks]) for i in tasks])
