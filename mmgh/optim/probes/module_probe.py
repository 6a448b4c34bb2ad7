from __future__ import annotations

from typing import Sequence

from torch import Tensor, nn

from mmgh.task_losses import require_task_losses
from ..rank_average import RankAverage
from ..task_gradients import gramian, probe_gradient, weighted_sum
from .probe import (NamedParameters, Probe, Weigh, product_by_task,
                    refuse_sharded)


class ModuleProbe(Probe):
    """Exact on named modules: backward passes per task that end there.

    One backward pass of the weighted loss follows. The fewer layers are
    between the modules and the losses, the less it costs.
    """

    def __init__(self, shared: Sequence[str] | None, apply_to: str) -> None:
        if shared is None:
            raise ValueError("`shared` should name the modules that "
                             "`probe='modules'` compares, but got None.")
        if apply_to != 'loss':
            raise ValueError("`apply_to` should be 'loss' with "
                             "`probe='modules'`, which has the gradients of "
                             f'these modules only, but got {apply_to!r}.')
        super().__init__(shared, apply_to)
        self._named = NamedParameters(shared)

    def prepare(self, model: nn.Module) -> None:
        refuse_sharded(model, 'modules')
        self._named.find(model)

    def backward(self, loss: Tensor, tasks: list[str], weigh: Weigh,
                 parameters: list[Tensor], retain_graph: bool,
                 is_last: bool) -> None:
        named = self._named.get()
        gradients = {}
        averages = []
        task_losses = require_task_losses(loss)
        for task in tasks:
            gradients[task] = probe_gradient(task_losses[task], named)
            averages.append(RankAverage(gradients[task], named))
        for average in averages:
            average.wait()
        self._named.check_reached(tasks, list(gradients.values()))
        groups = weigh(lambda tasks, scale: gramian(
            [gradients[task] for task in tasks], named, scale))
        total = weighted_sum(task_losses, product_by_task(groups))
        total.backward(retain_graph=retain_graph)
