from __future__ import annotations

from dataclasses import dataclass, field
from typing import Sequence

from torch import Tensor, nn

from mmgh.gradients import (TaskGradient, add_to_grad_fields, fills_with_zeros,
                            gramian_of, nonzero_in_all, scale_gradient,
                            task_gradient)
from mmgh.input_error import InputError
from mmgh.task_losses import MarkedLoss
from .named_parameters import NamedParameters
from .probe import Comparison, Probe, TaskWeights, refuse_sharded


class ParameterProbe(Probe):
    """Exact: a whole backward pass per task, whose gradients are kept.

    They are summed over micro-batches and averaged over ranks, then compared,
    weighted and added: there is no further pass. It costs the memory of one
    more gradient per further task.

    The mean over ranks of one task's gradient is formed during the backward
    pass of the next task.

    Args:
        shared (Sequence[str], optional): See :class:`Probe`.
        apply_to (str): See :class:`Probe`.
        reduce_dtype (str, optional): See :class:`Probe`. Defaults to None.
        accumulated (dict[str, TaskGradient], optional): Where gradients of
            tasks wait for the last micro-batch. Defaults to None: in here.
    """

    reduces_gradients = True

    def __init__(self,
                 shared: Sequence[str] | None,
                 apply_to: str,
                 reduce_dtype: str | None = None,
                 accumulated: dict[str, TaskGradient] | None = None) -> None:
        super().__init__(shared, apply_to, reduce_dtype)
        self._named = None if shared is None else NamedParameters(shared)
        self._gradients = {} if accumulated is None else accumulated
        # Whether zeros may mean that a task does not reach a parameter.
        self._has_fillers: bool | None = None

    def prepare(self, model: nn.Module) -> None:
        refuse_sharded(model, 'parameters')
        if getattr(model, 'static_graph', False):
            raise InputError("`static_graph` of the model wrapper should be "
                             "False with `probe='parameters'`, which runs "
                             'several backward passes, but got True. The '
                             'other probes go with it.')
        if self._named is not None:
            self._named.find(model)

    def in_common_order(self, losses: MarkedLoss, parameters: list[Tensor],
                        is_last: bool) -> MarkedLoss:
        if not is_last:  # nothing is sent
            return losses
        return super().in_common_order(losses, parameters, is_last)

    def compare(self, losses: MarkedLoss, tasks: list[str],
                parameters: list[Tensor], retain_graph: bool,
                is_last: bool) -> Comparison | None:
        if self._has_fillers is None:
            self._has_fillers = fills_with_zeros(losses.by_task.values())
        order = list(losses.by_task)
        if is_last:
            order = self.average.order(
                self._tasks_of_step(losses), parameters)
        self._run_passes(losses.by_task, order, parameters, retain_graph,
                         is_last)
        if not is_last:
            return None
        self.average.wait()
        gradients = {task: self._gradients[task] for task in order}
        self._gradients.clear()
        if any(not gradients[task] for task in losses.constants(tasks)):
            add_to_grad_fields(gradients.values())
            return None
        return _KeptGradients(gradients, self._named, self.apply_to,
                              self._has_fillers)

    def _run_passes(self, by_task: dict[str, Tensor], order: list[str],
                    parameters: list[Tensor], retain_graph: bool,
                    is_last: bool) -> None:
        """Run the backward pass of each task, and send its gradient while the
        next one runs; also that of a task that this micro-batch lacks."""
        left = len(by_task)
        for task in order:
            if task in by_task:
                left -= 1
                self._gradients[task] = task_gradient(
                    by_task[task], parameters, retain_graph or left > 0,
                    self._gradients.get(task, {}))
            if is_last:
                self.average.start(task, self._gradients[task], parameters)

    def state_dict(self, parameters: list[Tensor]) -> dict:
        return {
            task: {
                i: gradient[parameter]
                for i, parameter in enumerate(parameters)
                if parameter in gradient
            }
            for task, gradient in self._gradients.items()
        }

    def load_state_dict(self, state: dict, parameters: list[Tensor]) -> None:
        self._gradients = {
            task: {
                parameters[i]: value.to(parameters[i], copy=True)
                for i, value in gradient.items()
            }
            for task, gradient in state.items()
        }

    def reset(self) -> None:
        self._gradients = {}

    def _tasks_of_step(self, losses: MarkedLoss) -> list[str]:
        return list(dict.fromkeys([*self._gradients, *losses.by_task]))


@dataclass
class _KeptGradients(Comparison):

    gradients: dict[str, TaskGradient]
    named: NamedParameters | None
    apply_to: str
    has_fillers: bool
    found: dict[Sequence[str], list[Tensor]] = field(default_factory=dict)

    def gramian(self, tasks: Sequence[str], scale: Tensor | None) -> Tensor:
        return gramian_of([self.gradients[task] for task in tasks],
                          self._shared(tasks), scale)

    def backward(self, weights: TaskWeights) -> None:
        # Which parameters are shared does not change by scaling.
        for tasks, values in weights:
            scope = (
                self._shared(tasks) if self.apply_to == 'shared' else None)
            for task, value in zip(tasks, values):
                scale_gradient(self.gradients[task], value, scope)
        add_to_grad_fields(self.gradients.values())

    def _shared(self, tasks: Sequence[str]) -> list[Tensor]:
        # Before any is scaled, perhaps by 0.
        if tasks not in self.found:
            self.found[tasks] = self._find_shared(tasks)
        return self.found[tasks]

    def _find_shared(self, tasks: Sequence[str]) -> list[Tensor]:
        compared = [self.gradients[task] for task in tasks]
        if self.named is not None:
            named = self.named.get()
            self.named.check_reached(tasks, compared)
            return named
        first, *others = compared
        shared = [p for p in first if all(p in other for other in others)]
        if not shared:
            raise RuntimeError(f'The tasks {tuple(tasks)} should share '
                               'trained parameters to be harmonized, but no '
                               'parameter is reached by all of them.')
        # As a reversal begins with the factor 0, there may be no other ones.
        return (self.has_fillers and nonzero_in_all(shared, compared)
                or shared)
