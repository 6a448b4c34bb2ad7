"""Gradients per task: obtain, compare, combine.

The gradient of a task is a ``dict`` from tensor to gradient. A tensor that the
task does not reach is absent, which counts as a zero gradient.
"""
from __future__ import annotations

from typing import Dict, Iterable, Mapping, Sequence

import torch
from torch import Tensor

TaskGradient = Dict[Tensor, Tensor]


def task_gradient(loss: Tensor, parameters: Sequence[Tensor],
                  retain_graph: bool,
                  accumulated: TaskGradient) -> TaskGradient:
    """Gradient of one task's loss, by one whole backward pass.

    It is collected in the ``grad`` fields, which are restored afterwards.
    ``torch.autograd.grad`` would miss what reversible networks write there
    themselves, fails with reentrant checkpoints, and may return one tensor
    for several parameters.

    Args:
        loss (Tensor): Scalar.
        parameters (Sequence[Tensor]): With respect to these.
        retain_graph (bool): Whether another backward pass follows.
        accumulated (TaskGradient): Of earlier micro-batches, which the result
            contains. Its tensors may change.
    """
    before = [parameter.grad for parameter in parameters]
    for parameter in parameters:
        parameter.grad = accumulated.get(parameter)
    loss.backward(retain_graph=retain_graph)
    gradient = {p: p.grad for p in parameters if p.grad is not None}
    for parameter, grad in zip(parameters, before):
        parameter.grad = grad
    return gradient


def probe_gradient(loss: Tensor, tensors: Sequence[Tensor]) -> TaskGradient:
    """Gradient of one task's loss, by a backward pass as far as needed.

    Nothing is accumulated, no hook of a parameter runs, and the graph stays.
    The gradients are for reading only: several may be one tensor.

    Args:
        loss (Tensor): Scalar.
        tensors (Sequence[Tensor]): Leaves or not.
    """
    gradients = torch.autograd.grad(
        loss, tensors, retain_graph=True, allow_unused=True)
    return {
        tensor: gradient
        for tensor, gradient in zip(tensors, gradients) if gradient is not None
    }


def gramian(gradients: Sequence[TaskGradient],
            tensors: Iterable[Tensor],
            scale: Tensor | None = None) -> Tensor:
    """Inner products of task gradients over a set of tensors.

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


def scale_gradient(gradient: TaskGradient, weight: Tensor,
                   parameters: Iterable[Tensor]) -> None:
    """Multiply the gradient on a set of parameters by a scalar, in place."""
    for parameter in parameters:
        if parameter in gradient:
            gradient[parameter].mul_(weight)


def weighted_sum(task_losses: Mapping[str, Tensor],
                 weights: Mapping[str, Tensor]) -> Tensor:
    """The dynamically weighted loss; a task without a weight has weight 1."""
    return sum(loss * weights.get(task, 1)
               for task, loss in task_losses.items())


def add_to_grad_fields(gradients: Iterable[TaskGradient]) -> None:
    """Add the gradients to ``parameter.grad``, as a backward pass does.

    The first gradient of a parameter becomes its ``grad`` without a copy.
    """
    for gradient in gradients:
        for parameter, grad in gradient.items():
            if parameter.grad is None:
                parameter.grad = grad
            else:
                parameter.grad.add_(grad)
