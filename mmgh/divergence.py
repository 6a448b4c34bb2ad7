"""A training that diverged: losses, gradients or weights are not finite."""
from __future__ import annotations

from typing import Collection, Iterable, Mapping

import torch
from mmengine.logging import MessageHub
from torch import Tensor, nn

_TASKS = 'diverged_tasks'
_AVERAGES = ('running_mean', 'running_var')


class DivergenceError(RuntimeError):
    """Ends a training that diverged; says since when, and what is left."""


def report_diverged_tasks(hub: MessageHub, tasks: Iterable[str]) -> None:
    """Leave word of tasks whose gradients are not finite, for hooks; the first
    word counts, as everything follows from it."""
    if _TASKS not in hub.runtime_info:
        hub.update_info(_TASKS, list(tasks), resumed=False)


def pop_diverged_tasks(hub: MessageHub) -> list[str]:
    """Return the tasks of the word that was left, once."""
    return list(dict.fromkeys(hub.pop_info(_TASKS, ())))


def diverged_weights(model: nn.Module) -> list[str]:
    """Return the names of weights that are not finite.

    It waits for the device, once.
    """
    parameters = dict(model.named_parameters())
    return diverged_tensors({
        **parameters,
        **dict(model.named_buffers())
    }, parameters)


@torch.no_grad()
def diverged_tensors(state: Mapping[str, Tensor],
                     parameters: Collection[str]) -> list[str]:
    """Return the names of parameters and averages of activations that are not
    finite, and of other buffers that are NaN: an infinite one may be a mask,
    or a minimum of nothing yet.

    Args:
        state (Mapping[str, Tensor]): Parameters and buffers, of any shape.
        parameters (Collection[str]): Names of the parameters.
    """
    is_bad = {
        name: ~tensor.isfinite().all() if name in parameters
        or name.endswith(_AVERAGES) else tensor.isnan().any()
        for name, tensor in state.items()
    }
    if not is_bad:
        return []
    device = next(iter(is_bad.values())).device
    flags = torch.stack([flag.to(device) for flag in is_bad.values()])
    return [name for name, flag in zip(is_bad, flags.tolist()) if flag]
