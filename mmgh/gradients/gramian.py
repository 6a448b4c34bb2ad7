"""The Gramian of task gradients, and the geometry read off it."""
from __future__ import annotations

from typing import Iterable, Iterator, Sequence

import torch
from torch import Tensor

from .task_gradients import TaskGradient

# Up to which size a gradient is copied together with others, on a CPU and on
# a GPU, and how many are.
_COPIED_BYTES = {False: 2**16, True: 2**24}
_BUCKET_BYTES = 2**25


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
        _products([_as_vector(gradient, bucket, scale)
                   for gradient in gradients])
        for bucket in _buckets(tensors)
    ]
    sums = torch.stack([product for row in products for product in row])
    sums = sums.view(len(products), -1).sum(0)
    # Of the pair (i, j) with i >= j, in the order of the rows of a triangle.
    return torch.stack([
        sums[max(i, j) * (max(i, j) + 1) // 2 + min(i, j)] for i in size
        for j in size
    ]).view(len(size), len(size))


def _products(vectors: Sequence[Tensor]) -> list[Tensor]:
    return [
        torch.dot(a, b) for i, a in enumerate(vectors)
        for b in vectors[:i + 1]
    ]


def _buckets(tensors: Iterable[Tensor]) -> Iterator[list[Tensor]]:
    """Tensors of one kind whose gradients are compared as one vector.

    To copy them together takes less time than to compare each by itself,
    as long as they are small: on a GPU, which starts a kernel in the time in
    which it copies megabytes, nearly all are.
    """
    by_kind: dict[tuple, list[Tensor]] = {}
    for tensor in tensors:
        if _num_bytes([tensor]) > _COPIED_BYTES[tensor.is_cuda]:
            yield [tensor]
            continue
        kind = tensor.dtype, tensor.device
        bucket = by_kind.setdefault(kind, [])
        if bucket and _num_bytes([*bucket, tensor]) > _BUCKET_BYTES:
            yield bucket
            bucket = by_kind[kind] = []
        bucket.append(tensor)
    yield from by_kind.values()


def _num_bytes(tensors: Sequence[Tensor]) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def _as_vector(gradient: TaskGradient, bucket: Sequence[Tensor],
               scale: Tensor | None) -> Tensor:
    """The gradient on a bucket, unscaled, at least in float32."""
    parts = [
        gradient[tensor].flatten()
        if tensor in gradient else torch.zeros_like(tensor).flatten()
        for tensor in bucket
    ]
    vector = parts[0] if len(parts) == 1 else torch.cat(parts)
    if vector.dtype in (torch.float16, torch.bfloat16):
        vector = vector.float()
    return vector if scale is None else vector / scale


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
