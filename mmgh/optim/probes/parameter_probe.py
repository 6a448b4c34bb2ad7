from __future__ import annotations

from typing import Sequence

from torch import Tensor, nn

from mmgh.task_losses import require_task_losses
from ..rank_average import RankAverage
from ..task_gradients import (TaskGradient, add_to_grad_fields, gramian,
                              scale_gradient, task_gradient)
from .probe import NamedParameters, Probe, Weigh, refuse_sharded


class ParameterProbe(Probe):
    """Exact: a whole backward pass per task, whose gradients are kept.

    They are summed over micro-batches and averaged over ranks, then compared,
    weighted and added: there is no further pass. It costs the memory of one
    more gradient per further task.

    The mean over ranks of one task's gradient is formed during the backward
    pass of the next task.
    """

    reduces_gradients = True

    def __init__(self, shared: Sequence[str] | None, apply_to: str) -> None:
        super().__init__(shared, apply_to)
        self._named = None if shared is None else NamedParameters(shared)
        self._gradients: dict[str, TaskGradient] = {}

    def prepare(self, model: nn.Module) -> None:
        refuse_sharded(model, 'parameters')
        if getattr(model, 'static_graph', False):
            raise ValueError("`static_graph` of the model wrapper should be "
                             "False with `probe='parameters'`, which runs "
                             'several backward passes, but got True. The '
                             'other probes go with it.')
        if self._named is not None:
            self._named.find(model)

    def backward(self, loss: Tensor, tasks: list[str], weigh: Weigh,
                 parameters: list[Tensor], retain_graph: bool,
                 is_last: bool) -> None:
        averages = []
        task_losses = require_task_losses(loss)
        for i, (task, task_loss) in enumerate(task_losses.items(), start=1):
            gradient = task_gradient(task_loss, parameters, retain_graph
                                     or i < len(task_losses),
                                     self._gradients.get(task, {}))
            self._gradients[task] = gradient
            if is_last:
                averages.append(RankAverage(gradient, parameters))
        for average in averages:
            average.wait()
        if is_last:
            self._combine(weigh, parameters)

    def reset(self) -> None:
        self._gradients = {}

    def _combine(self, weigh: Weigh, parameters: list[Tensor]) -> None:
        gradients, self._gradients = self._gradients, {}
        groups = weigh(lambda tasks, scale: gramian(
            [gradients[task] for task in tasks],
            self._shared(gradients, tasks), scale))
        # After all were compared: scaling changes what is compared. Which
        # parameters are shared does not change.
        for tasks, weights in groups:
            scope = (
                self._shared(gradients, tasks)
                if self.apply_to == 'shared' else parameters)
            for task, weight in zip(tasks, weights):
                scale_gradient(gradients[task], weight, scope)
        add_to_grad_fields(gradients.values())

    def _shared(self, gradients: dict[str, TaskGradient],
                tasks: Sequence[str]) -> list[Tensor]:
        compared = [gradients[task] for task in tasks]
        if self._named is not None:
            named = self._named.get()
            self._named.check_reached(tasks, compared)
            return named
        first, *others = compared
        shared = [p for p in first if all(p in other for other in others)]
        if not shared:
            raise RuntimeError(f'The tasks {tuple(tasks)} should share '
                               'trained parameters to be harmonized, but no '
                               'parameter is reached by all of them.')
        return shared
