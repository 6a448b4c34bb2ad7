"""Gradients of tasks: obtain and combine them.

The gradient of a task is a ``dict`` from tensor to gradient. A tensor that the
task does not reach is absent, which counts as a zero gradient.
"""
from __future__ import annotations

from typing import Iterable, Sequence

import torch
from torch import Tensor

TaskGradient = dict[Tensor, Tensor]


def task_gradient(loss: Tensor, parameters: Sequence[Tensor],
                  retain_graph: bool,
                  accumulated: TaskGradient) -> TaskGradient:
    """Return the gradient of one task's loss, by a whole backward pass; of a
    loss that is a constant what was there before.

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
    if not loss.requires_grad:
        return accumulated
    before = [parameter.grad for parameter in parameters]
    for parameter in parameters:
        parameter.grad = accumulated.get(parameter) if accumulated else None
    try:
        loss.backward(retain_graph=retain_graph)
        return {p: p.grad for p in parameters if p.grad is not None}
    finally:
        for parameter, grad in zip(parameters, before):
            parameter.grad = grad


def probe_gradient(loss: Tensor, tensors: Sequence[Tensor]) -> TaskGradient:
    """Return the gradient of one task's loss, walking back as far as needed.

    Nothing is accumulated, no hook of a parameter runs, and the graph stays.
    The gradients are for reading only: several may be one tensor. A loss that
    is a constant has none.

    Args:
        loss (Tensor): Scalar.
        tensors (Sequence[Tensor]): Leaves or not.
    """
    if not loss.requires_grad:
        return {}
    gradients = torch.autograd.grad(
        loss, tensors, retain_graph=True, allow_unused=True)
    return {
        tensor: gradient
        for tensor, gradient in zip(tensors, gradients) if gradient is not None
    }


def scale_gradient(gradient: TaskGradient,
                   weight: Tensor,
                   parameters: Iterable[Tensor] | None = None) -> None:
    """Multiply the gradient by a scalar, in place: on a set of parameters, or
    on all."""
    if parameters is None:
        scaled = list(gradient.values())
    else:
        scaled = [gradient[p] for p in parameters if p in gradient]
    if scaled:
        torch._foreach_mul_(scaled, weight)


def add_to_grad_fields(gradients: Iterable[TaskGradient]) -> None:
    """Add the gradients to ``parameter.grad``, as a backward pass does.

    The first gradient of a parameter becomes its ``grad`` without a copy.
    """
    for gradient in gradients:
        sums, added = [], []
        for parameter, grad in gradient.items():
            if parameter.grad is None:
                parameter.grad = grad
            else:
                sums.append(parameter.grad)
                added.append(grad)
        if sums:
            torch._foreach_add_(sums, added)
