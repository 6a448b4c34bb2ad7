"""Gradients per task: obtain, average, compare, combine.

The gradient of a task is a ``dict`` from parameter to gradient. A parameter
that the task does not reach is absent, which counts as a zero gradient.
"""
from __future__ import annotations

from typing import Dict, Iterable, Sequence

import torch
from mmengine.dist import all_reduce, all_reduce_params, get_world_size
from torch import Tensor

TaskGradient = Dict[Tensor, Tensor]


def task_gradient(loss: Tensor, parameters: Sequence[Tensor],
                  retain_graph: bool) -> TaskGradient:
    """Gradient of one task's loss, by one backward pass.

    It is collected in the ``grad`` fields, which are restored afterwards.
    ``torch.autograd.grad`` would miss what reversible networks write there
    themselves, fails with reentrant checkpoints, and may return one tensor
    for several parameters.

    Args:
        loss (Tensor): Scalar.
        parameters (Sequence[Tensor]): With respect to these.
        retain_graph (bool): Whether another backward pass follows.
    """
    before = [parameter.grad for parameter in parameters]
    for parameter in parameters:
        parameter.grad = None
    loss.backward(retain_graph=retain_graph)
    gradient = {p: p.grad for p in parameters if p.grad is not None}
    for parameter, grad in zip(parameters, before):
        parameter.grad = grad
    return gradient


def add_gradient(total: TaskGradient, gradient: TaskGradient) -> None:
    """Add a micro-batch's gradient to what was accumulated, in place."""
    for parameter, grad in gradient.items():
        if parameter in total:
            total[parameter].add_(grad)
        else:
            total[parameter] = grad


def average_over_ranks(gradients: Iterable[TaskGradient],
                       parameters: Sequence[Tensor]) -> None:
    """Replace each rank's gradients by their mean over ranks, in place.

    A parameter that a task reaches on some ranks only gets a zero gradient
    on the others first.

    Args:
        gradients (Iterable[TaskGradient]): In the same order on every rank.
        parameters (Sequence[Tensor]): All that may occur, likewise.
    """
    if get_world_size() == 1:
        return
    for gradient in gradients:
        reached = torch.tensor([p in gradient for p in parameters],
                               dtype=torch.int32,
                               device=parameters[0].device)
        all_reduce(reached, op='max')
        everywhere = [p for p, any_rank in zip(parameters, reached.tolist())
                      if any_rank]
        for parameter in everywhere:
            if parameter not in gradient:
                gradient[parameter] = torch.zeros_like(parameter)
        all_reduce_params([gradient[p] for p in everywhere],
                          bucket_size_mb=25, op='mean')


def gramian(gradients: Sequence[TaskGradient],
            parameters: Iterable[Tensor]) -> Tensor:
    """Inner products of task gradients over a set of parameters.

    Args:
        gradients (Sequence[TaskGradient]): K of them.
        parameters (Iterable[Tensor]): The set; not empty.

    Returns:
        Tensor: Shape ``(K, K)``, at least float32.
    """
    parameters = list(parameters)
    rows = [[_inner_product(a, b, parameters) for b in gradients[:i + 1]]
            for i, a in enumerate(gradients)]
    size = range(len(gradients))
    return torch.stack([
        torch.stack([rows[max(i, j)][min(i, j)] for j in size]) for i in size
    ])


def _inner_product(a: TaskGradient, b: TaskGradient,
                   parameters: Sequence[Tensor]) -> Tensor:
    products = [
        torch.dot(_as_vector(a[p]), _as_vector(b[p])) for p in parameters
        if p in a and p in b
    ]
    if not products:
        return _as_vector(parameters[0].detach()).new_zeros(())
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
