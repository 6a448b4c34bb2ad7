from __future__ import annotations

from dataclasses import dataclass
from typing import Sequence

from torch import Tensor, nn

from mmgh.gradients import TaskGradient, gramian_of, probe_gradient
from mmgh.input_error import InputError
from mmgh.task_losses import MarkedLoss
from .named_parameters import NamedParameters
from .probe import (Comparison, Probe, TaskWeights, product_by_task,
                    refuse_sharded)


class ModuleProbe(Probe):
    """Exact on named modules: backward passes per task that end there.

    One backward pass of the weighted loss follows. The fewer layers are
    between the modules and the losses, the less it costs.
    """

    def __init__(self,
                 shared: Sequence[str] | None,
                 apply_to: str,
                 reduce_dtype: str | None = None) -> None:
        if shared is None:
            raise InputError("`shared` should name the modules that "
                             "`probe='modules'` compares, but got None.")
        if apply_to != 'loss':
            raise InputError("`apply_to` should be 'loss' with "
                             "`probe='modules'`, which has the gradients of "
                             f'these modules only, but got {apply_to!r}.')
        super().__init__(shared, apply_to, reduce_dtype)
        self._named = NamedParameters(shared)

    def prepare(self, model: nn.Module) -> None:
        refuse_sharded(model, 'modules')
        self._named.find(model)

    def compare(self, losses: MarkedLoss, tasks: list[str],
                parameters: list[Tensor], retain_graph: bool,
                is_last: bool) -> Comparison:
        named = self._named.get()
        gradients = {}
        for task in tasks:
            gradients[task] = probe_gradient(losses.by_task[task], named)
            self.average.start(task, gradients[task], named)
        self.average.wait()
        constants = losses.constants(tasks)
        self._named.check_reached(tasks, [
            gradients[task] for task in tasks if task not in constants])
        return _ModuleGradients(gradients, named, losses, retain_graph)


@dataclass
class _ModuleGradients(Comparison):

    gradients: dict[str, TaskGradient]
    named: list[Tensor]
    losses: MarkedLoss
    retain_graph: bool

    def gramian(self, tasks: Sequence[str], scale: Tensor | None) -> Tensor:
        return gramian_of([self.gradients[task] for task in tasks], self.named,
                       scale)

    def backward(self, weights: TaskWeights) -> None:
        loss = self.losses.weighted(product_by_task(weights))
        loss.backward(retain_graph=self.retain_graph)
