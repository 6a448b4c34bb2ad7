from __future__ import annotations

from itertools import chain

import torch
from torch import Tensor

from mmgh.task_losses import MarkedLoss
from .logged_scalars import Compared
from .measured import Measured
from .probes import Probe
from .task_weighting import TaskWeighting


def harmonized_backward(losses: MarkedLoss,
                        parameters: list[Tensor],
                        weighting: TaskWeighting,
                        probe: Probe,
                        scale: Tensor | None = None,
                        retain_graph: bool = False,
                        is_last: bool = True) -> Measured | None:
    """Add the harmonized gradient to the ``grad`` fields: J -> G -> w -> wJ.

    Args:
        losses (MarkedLoss): Of one micro-batch, scaled.
        parameters (list[Tensor]): All that are trained.
        weighting (TaskWeighting): Which tasks are harmonized, and by what.
        probe (Probe): Where their gradients are compared.
        scale (Tensor, optional): What the losses were multiplied by, a
            scalar. Defaults to None.
        retain_graph (bool): Whether to keep the graph in the end. Defaults
            to False.
        is_last (bool): Whether this is the last micro-batch before a step.
            Defaults to True.

    Returns:
        Measured | None: None if the probe waits for the last micro-batch, or
        could not compare as a task has no gradient in this step: then that of
        the plain sum is in the ``grad`` fields.
    """
    losses = probe.in_common_order(losses, parameters, is_last)
    groups = weighting.groups(losses.by_task, losses.pairs)
    tasks = list(dict.fromkeys(chain(*(tasks for tasks, _ in groups))))
    # Backward passes do not belong into autocast, nor do the products of
    # gradients: in half precision those of short ones vanish.
    with torch.autocast(losses.total.device.type, enabled=False):
        comparison = probe.compare(losses, tasks, parameters, retain_graph,
                                   is_last)
        if comparison is None:
            return None
        compared = []
        for tasks, harmonizer in groups:
            gramian = comparison.gramian(tasks, scale)
            weights = weighting.weights(harmonizer,
                                        losses.without_factors(gramian, tasks))
            scalars = {
                name: torch.as_tensor(value).to(gramian)
                for name, value in getattr(harmonizer, 'scalars', dict)()
                .items()
            }
            compared.append(Compared(tasks, gramian, weights, scalars))
        comparison.backward([
            (group.tasks, group.weights) for group in compared])
    return Measured(compared)
