from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import Callable, Sequence

import torch
from torch import Tensor, nn

from mmgh.task_losses import (check_sum, map_task_losses,
                              require_task_losses)
from .probes import (FeatureProbe, GramianOf, ModuleProbe, ParameterProbe,
                     TaskWeights, product_by_task)
from .task_gradients import weighted_sum
from .task_weighting import Groups, TaskWeighting, describe

_PROBES = dict(
    parameters=ParameterProbe, modules=ModuleProbe, features=FeatureProbe)
_STATE = 'harmonization'


class HarmonizationMixin:
    """What makes an optim wrapper harmonize; put it before its class.

    It replaces the backward pass. Counting, scaling, clipping and stepping
    stay the wrapper's. For the arguments see :class:`GHOptimWrapper`.

    ``torch.compile`` keeps out: within a compiled part each task would reach
    every parameter, with zeros.
    """

    def __init__(self,
                 harmonizer: dict | Callable | Sequence,
                 pairs: Sequence[Sequence[str]] | None = None,
                 probe: str = 'parameters',
                 shared: Sequence[str] | None = None,
                 apply_to: str = 'loss',
                 max_weight: float | None = None,
                 interval: int = 1,
                 **kwargs) -> None:
        super().__init__(**kwargs)
        if probe not in _PROBES:
            raise ValueError(f'`probe` should be one of {sorted(_PROBES)}, '
                             f'but got {probe!r}.')
        if shared is not None and (not shared or isinstance(shared, str)):
            raise ValueError('`shared` should list names of modules or '
                             f'parameters, but got {shared!r}.')
        if apply_to not in ('loss', 'shared'):
            raise ValueError("`apply_to` should be 'loss' or 'shared', but "
                             f'got {apply_to!r}.')
        if type(interval) is not int or interval < 1:
            raise ValueError('`interval` should be a whole number of at least '
                             f'1, but got {interval!r}.')
        if interval > 1 and apply_to == 'shared':
            raise ValueError("`interval` should be 1 with `apply_to='shared'`,"
                             ' which needs the gradient of each task at each '
                             f'step, but got {interval}.')
        self.interval = interval
        self._weighting = TaskWeighting(harmonizer, pairs, max_weight)
        self._probe = _PROBES[probe](shared, apply_to)
        # Of the last comparison; None before the first, or if that failed.
        self._weights: dict[str, Tensor] | None = None
        self._compared: list[tuple[tuple[str, ...], Tensor, Tensor]] = []
        self._checked_sum = False

    def initialize_count_status(self, model: nn.Module, init_counts: int,
                                max_counts: int) -> None:
        """As in the parent; the probe looks at the model here."""
        super().initialize_count_status(model, init_counts, max_counts)
        self._probe.prepare(model)

    def should_sync(self) -> bool:
        """As in the parent, but not by the model wrapper if the probe averages
        the gradients of the tasks, each on its own."""
        return super().should_sync() and not (
            self._probe.reduces_gradients and self._compares())

    @contextmanager
    def optim_context(self, model: nn.Module):
        """As in the parent."""
        with super().optim_context(model):
            yield
        if super().should_sync() and hasattr(model,
                                             'require_forward_param_sync'):
            # Without gradients to synchronise, torch's wrapper would not
            # broadcast the buffers any more, either.
            model.require_forward_param_sync = True

    @torch.compiler.disable
    def scale_loss(self, loss: Tensor) -> Tensor:
        """As in the parent; the task losses are scaled alike."""
        require_task_losses(loss)
        return map_task_losses(loss, super().scale_loss)

    @torch.compiler.disable
    def backward(self, loss: Tensor, retain_graph: bool = False) -> None:
        """Compare the tasks if it is their turn; leave the harmonized
        gradient in the ``grad`` fields if a step is due.

        Args:
            loss (Tensor): Scalar that carries its task losses.
            retain_graph (bool): Whether to keep the graph after the last
                pass. Defaults to False.
        """
        task_losses = require_task_losses(loss)
        if not self._checked_sum:
            check_sum(loss, task_losses)
            self._checked_sum = True
        groups = self._weighting.groups(task_losses)
        tasks = list(dict.fromkeys(task for group, _ in groups
                                   for task in group))
        compares = self._compares()
        self._inner_count += 1
        scale = self._loss_scale(loss)
        if scale is not None:
            loss = map_task_losses(loss, lambda value: value * scale)
        if compares:
            self._compared = []
            self._probe.backward(loss, tasks,
                                 partial(self._weigh, groups, scale),
                                 self._parameters(), retain_graph,
                                 self.should_update())
            self._log()
        else:
            loss = weighted_sum(require_task_losses(loss), self._weights)
            loss.backward(retain_graph=retain_graph)

    def zero_grad(self, **kwargs) -> None:
        """As in the parent; task gradients not yet stepped with go too."""
        self._probe.reset()
        super().zero_grad(**kwargs)

    def state_dict(self) -> dict:
        """As in the parent, and the weights, if they outlive a step."""
        state = super().state_dict()
        if self.interval > 1 and self._weights is not None:
            state[_STATE] = dict(weights=dict(self._weights))
        return state

    def load_state_dict(self, state_dict: dict) -> None:
        """As in the parent; of a wrapper that harmonizes, or a stock one."""
        self._weights = state_dict.pop(_STATE, {}).get('weights')
        super().load_state_dict(state_dict)

    def _loss_scale(self, loss: Tensor) -> Tensor | None:
        """Scalar that losses are multiplied by before a backward pass."""
        return None

    def _parameters(self) -> list[Tensor]:
        return [
            parameter for group in self.optimizer.param_groups
            for parameter in group['params'] if parameter.requires_grad
        ]

    def _compares(self) -> bool:
        """Whether this step looks at gradients, or reuses the weights."""
        step = self._inner_count // self._accumulative_counts
        return self._weights is None or step % self.interval == 0

    def _weigh(self, groups: Groups, scale: Tensor | None,
               gramian_of: GramianOf) -> TaskWeights:
        """Weights of each group of tasks from its Gramian."""
        weighted = []
        for tasks, harmonizer in groups:
            gramian = gramian_of(tasks, scale)
            weights = self._weighting.weights(harmonizer, gramian)
            weighted.append((tasks, weights))
            self._compared.append((tasks, gramian, weights))
        self._weights = product_by_task(weighted)
        return weighted

    def _log(self) -> None:
        """Log what was compared, after all work of the step was given out:
        the one transfer from the device has to wait for the comparison.

        Where something overflowed there is nothing to log, and no weights to
        reuse.
        """
        compared, self._compared = self._compared, []
        if not compared:
            return
        scalars = describe(compared)
        gramians = torch.stack([gramian for _, gramian, _ in compared])
        is_finite, *values = torch.stack([
            gramians.isfinite().all().to(gramians), *scalars.values()
        ]).tolist()
        if not is_finite:
            self._weights = None
            return
        for name, value in zip(scalars, values):
            self.message_hub.update_scalar(f'train/{name}', value)
