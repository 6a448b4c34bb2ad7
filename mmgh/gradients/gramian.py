"""The Gramian of task gradients, and the geometry read off it."""
from __future__ import annotations

from math import inf
from typing import Iterable, Iterator, Sequence

import torch
from torch import Tensor
from torch._utils import _flatten_dense_tensors

from .task_gradients import TaskGradient

# Up to which size a gradient is copied together with others, and how much of
# one task is: on a CPU, whose cache it should not leave, and on a GPU.
COPIED_BYTES = {False: (2**20, 2**22), True: (2**24, 2**25)}


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
    size = range(len(gradients))
    products = [
        product.view(-1) for bucket in _buckets(tensors)
        for product in _products(gradients, bucket, scale)
    ]
    # Of the pair (i, j) with i >= j, in the order of the rows of a triangle.
    sums = torch.cat(products).view(-1, sum(size) + len(size)).sum(0).unbind()
    return torch.stack([
        sums[max(i, j) * (max(i, j) + 1) // 2 + min(i, j)] for i in size
        for j in size
    ]).view(len(size), len(size))


def _products(gradients: Sequence[TaskGradient], bucket: Sequence[Tensor],
              scale: Tensor | None) -> list[Tensor]:
    """Products on a bucket: scalars of large gradients, where each passes
    through the memory anyway, and of copied ones rows of the triangle, as
    many as there are tasks."""
    if not _is_copied(bucket[0]):
        vectors = [
            _at_least_float32(part.flatten(), scale)
            for part in _parts(gradients, bucket)
        ]
        return [
            torch.dot(a, b) for i, a in enumerate(vectors)
            for b in vectors[:i + 1]
        ]
    copied = _flatten_dense_tensors(_parts(gradients, bucket))
    rows = _at_least_float32(copied, scale).view(len(gradients), -1)
    return [rows[:i + 1] @ row for i, row in enumerate(rows)]


def _parts(gradients: Sequence[TaskGradient],
           bucket: Sequence[Tensor]) -> list[Tensor]:
    return [
        torch.zeros_like(tensor) if part is None else part
        for gradient in gradients
        for tensor, part in zip(bucket, map(gradient.get, bucket))
    ]


def _at_least_float32(vector: Tensor, scale: Tensor | None) -> Tensor:
    if vector.dtype in (torch.float16, torch.bfloat16):
        vector = vector.float()
    return vector if scale is None else vector / scale


def _buckets(tensors: Iterable[Tensor]) -> Iterator[list[Tensor]]:
    """Tensors of one kind whose gradients are compared as one vector.

    To copy them together takes less time than to compare each by itself,
    as long as they are small: on a GPU, which starts a kernel in the time in
    which it copies megabytes, nearly all are.
    """
    by_kind: dict[tuple, list[Tensor]] = {}
    sizes: dict[tuple, int] = {}
    for tensor in tensors:
        size = tensor.numel() * tensor.element_size()
        if not _is_copied(tensor):
            yield [tensor]
            continue
        kind = tensor.dtype, tensor.device
        most = COPIED_BYTES[tensor.is_cuda][1]
        if sizes.get(kind, 0) + size > most and kind in by_kind:
            yield by_kind.pop(kind)
            sizes[kind] = 0
        by_kind.setdefault(kind, []).append(tensor)
        sizes[kind] = sizes.get(kind, 0) + size
    yield from by_kind.values()


def _is_copied(tensor: Tensor) -> bool:
    size = tensor.numel() * tensor.element_size()
    return size <= COPIED_BYTES[tensor.is_cuda][0]


def cosines_of(gramian: Tensor) -> Tensor:
    """Return the cosines of the angles between gradients.

    Args:
        gramian (Tensor): Inner products of the gradients, shape ``(K, K)``.

    Returns:
        Tensor: Shape ``(K, K)``, in [-1, 1]. A cosine is 0 (no conflict) where
        the angle is undefined: a zero gradient, or one that is not finite.
    """
    norms = gramian.diagonal().clamp(min=0).sqrt()
    # One division after the other: the product of the norms may overflow.
    cosines = gramian / norms[:, None] / norms
    return cosines.nan_to_num(0, 0, 0).clamp(-1, 1)


def pair_cosine(gramian: Tensor) -> Tensor:
    """Return the cosine of the angle between two gradients, a scalar as of
    :func:`cosines_of`.

    Args:
        gramian (Tensor): Inner products of the gradients, shape ``(2, 2)``.
    """
    return cosines_of(gramian)[0, 1]


def all_finite(tensor: Tensor) -> Tensor:
    """Tell whether all numbers of a tensor are finite, by two operations.

    Returns:
        Tensor: A scalar of type bool, on the device of the tensor.
    """
    return torch.linalg.vector_norm(tensor, inf) < inf
