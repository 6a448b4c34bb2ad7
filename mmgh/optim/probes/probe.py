from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Sequence

import torch
from mmengine.dist import get_world_size
from torch import Tensor, nn
from torch.distributed.fsdp import FullyShardedDataParallel

from mmgh.arguments import NAMES, one_of
from mmgh.gradients import RankAverage
from mmgh.input_error import InputError
from mmgh.task_losses import MarkedLoss

# Weights of tasks that are harmonized with each other, one tuple a group.
TaskWeights = list[tuple[tuple[str, ...], Tensor]]


class Comparison(ABC):
    """The gradients of the tasks of one step, waiting for their weights."""

    @abstractmethod
    def gramian(self, tasks: Sequence[str], scale: Tensor | None) -> Tensor:
        """Return the inner products of the gradients, shape ``(K, K)``.

        Args:
            tasks (Sequence[str]): Names of K tasks.
            scale (Tensor, optional): What gradients are divided by first.
        """

    @abstractmethod
    def backward(self, weights: TaskWeights) -> None:
        """Leave the weighted gradient in the ``grad`` fields; to be called
        once."""


class Probe(ABC):
    """Compares the gradients of the tasks, and runs the backward passes.

    Args:
        shared (Sequence[str], optional): Names of modules or parameters.
        apply_to (str): ``'loss'`` or ``'shared'``.
        reduce_dtype (str, optional): ``'bfloat16'`` or None; see
            :class:`GHOptimWrapper`. Defaults to None.
    """

    reduces_gradients = False
    """Whether the gradients are averaged over ranks here, so that the model
    wrapper should not do so."""

    def __init__(self,
                 shared: Sequence[str] | None,
                 apply_to: str,
                 reduce_dtype: str | None = None) -> None:
        NAMES.or_none().check(shared=shared)
        one_of('loss', 'shared').check(apply_to=apply_to)
        one_of('bfloat16').or_none().check(reduce_dtype=reduce_dtype)
        self.shared = shared
        self.apply_to = apply_to
        self.average = RankAverage(
            None if reduce_dtype is None else getattr(torch, reduce_dtype))

    def prepare(self, model: nn.Module) -> None:
        """Look at the model before the first step, and refuse what cannot
        work with it."""

    def in_common_order(self, losses: MarkedLoss, parameters: list[Tensor],
                        is_last: bool) -> MarkedLoss:
        """Return the losses with their tasks in an order that all ranks have;
        on one process as they are.

        Args:
            losses (MarkedLoss): See :meth:`compare`.
            parameters (list[Tensor]): See :meth:`compare`.
            is_last (bool): See :meth:`compare`.

        Raises:
            RuntimeError: On all ranks, if they have different tasks.
        """
        if get_world_size() == 1:
            return losses
        order = self.average.order(self._tasks_of_step(losses), parameters)
        by_task = losses.by_task
        return losses._replace(
            by_task={t: by_task[t] for t in order if t in by_task})

    def _tasks_of_step(self, losses: MarkedLoss) -> list[str]:
        return list(losses.by_task)

    @abstractmethod
    def compare(self, losses: MarkedLoss, tasks: list[str],
                parameters: list[Tensor], retain_graph: bool,
                is_last: bool) -> Comparison | None:
        """Run the backward passes that a comparison needs.

        Args:
            losses (MarkedLoss): Of one micro-batch.
            tasks (list[str]): Names of those that are compared.
            parameters (list[Tensor]): All that are trained.
            retain_graph (bool): Whether to keep the graph in the end.
            is_last (bool): Whether this is the last micro-batch before a
                step.

        Returns:
            Comparison | None: None if it has to wait for that micro-batch; or
            if a loss is a constant, and what the tasks share is not known:
            then the plain gradient is in the ``grad`` fields.
        """

    def state_dict(self, parameters: list[Tensor]) -> dict:
        """Return what was accumulated for the next step: of each task the
        gradients, by the number of the parameter."""
        return {}

    def load_state_dict(self, state: dict, parameters: list[Tensor]) -> None:
        """Go on with what was accumulated."""

    def reset(self) -> None:
        """Forget what was accumulated for the next step."""


def product_by_task(groups: TaskWeights) -> dict[str, Tensor]:
    """Return the weight of each task; of one in several groups the product."""
    product: dict[str, Tensor] = {}
    for tasks, weights in groups:
        for task, weight in zip(tasks, weights):
            before = product.get(task)
            product[task] = weight if before is None else before * weight
    return product


def refuse_sharded(model: nn.Module, probe: str) -> None:
    """Raise an error where no rank has whole parameters."""
    if any(isinstance(m, FullyShardedDataParallel)
           for m in model.modules()) or any(
               hasattr(p, 'device_mesh') for p in model.parameters()):
        raise InputError(
            f"`probe` should be 'features' under FSDP, where no rank has "
            f'whole parameters, but got {probe!r}.')
