"""Which tensors a task reaches, where a gradient of zeros may mean none."""
from __future__ import annotations

from typing import Iterable, Sequence

import torch
from torch import Tensor
from torch.autograd.function import BackwardCFunction

from .task_gradients import TaskGradient

# Of torch before 2.2, where a node does not tell how many outputs it has.
_OF_SEVERAL_OUTPUTS = ('CheckpointFunctionBackward',
                       'CompiledFunctionBackward')


def fills_with_zeros(losses: Iterable[Tensor]) -> bool:
    """Tell whether some function in the graph of the losses may give a
    gradient of zeros for what a loss does not reach.

    Functions of Python that have several outputs do, as a compiled graph with
    the heads of several tasks, or a reentrant checkpoint of them: they get
    zeros for the outputs that the loss does not use, and pass them on.

    Args:
        losses (Iterable[Tensor]): On the graph.
    """
    nodes = [loss.grad_fn for loss in losses]
    seen = set()
    while nodes:
        node = nodes.pop()
        if node is None or node in seen:
            continue
        if isinstance(node, BackwardCFunction) and _has_several_outputs(node):
            return True
        seen.add(node)
        nodes.extend(before for before, _ in node.next_functions)
    return False


def _has_several_outputs(node: BackwardCFunction) -> bool:
    outputs = getattr(node, '_input_metadata', None)
    if outputs is None:
        return node.name() in _OF_SEVERAL_OUTPUTS
    return len(outputs) > 1


def nonzero_in_all(tensors: Sequence[Tensor],
                   gradients: Sequence[TaskGradient]) -> list[Tensor]:
    """Return the tensors whose gradients are all more than zeros; the host
    waits for the device.

    Args:
        tensors (Sequence[Tensor]): Not empty, and reached by all gradients.
        gradients (Sequence[TaskGradient]): K of them.
    """
    # Sums of absolute values: squares of small numbers would vanish.
    sums = torch.stack([
        torch.stack(torch._foreach_norm([gradient[t] for t in tensors], 1))
        for gradient in gradients
    ])
    return [
        tensor for tensor, is_reached in zip(
            tensors, (sums != 0).all(dim=0).tolist()) if is_reached
    ]
