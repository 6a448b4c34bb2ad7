from __future__ import annotations

import logging
from contextlib import contextmanager
from inspect import signature
from math import ceil
from typing import Any, Callable, Collection, Sequence

import torch
from mmengine.logging import print_log
from mmengine.optim import AmpOptimWrapper
from torch import Tensor, nn

from mmgh.arguments import COUNT, one_of
from mmgh.divergence import report_diverged_tasks
from mmgh.input_error import InputError, InputTypeError
from mmgh.task_losses import (MarkedLoss, PlainPasses, check_gradients,
                              check_sum, is_due, map_task_losses, take_apart)
from .harmonized_backward import harmonized_backward
from .measured import Measured
from .probes import FeatureProbe, ModuleProbe, ParameterProbe
from .task_weighting import TaskWeighting

_PROBES = dict(
    parameters=ParameterProbe, modules=ModuleProbe, features=FeatureProbe)
_STATE = 'harmonization'
# Whether frozen parameters have numbers in there, too.
_FROZEN_COUNT = 'frozen_count'
# What a config for mixed precision may have, whose type alone was replaced.
_OF_AMP = {'loss_scale', 'dtype', 'use_fsdp'}


class HarmonizationMixin:
    """Make an optim wrapper harmonize; put it before its class.

    It replaces the backward pass. Counting, scaling, clipping and stepping
    stay the wrapper's. For the arguments see :class:`GHOptimWrapper`.

    ``torch.compile`` keeps out: within a compiled part each task would reach
    every parameter, with zeros.
    """

    harmonizes = True
    """What a model may ask, see :func:`mmgh.task_losses.harmonizes`."""

    def __init__(self,
                 harmonizer: dict | Callable | Sequence | None = None,
                 pairs: Sequence[Sequence[str]] | None = None,
                 probe: str = 'parameters',
                 shared: Sequence[str] | None = None,
                 apply_to: str | None = None,
                 max_weight: float | None = None,
                 interval: int = 1,
                 reduce_dtype: str | None = None,
                 **kwargs) -> None:
        _refuse_mixed_precision(type(self), kwargs)
        super().__init__(**kwargs)
        one_of(*_PROBES).check(probe=probe)
        COUNT.check(interval=interval)
        self.interval = interval
        self._weighting = TaskWeighting(harmonizer, pairs, max_weight)
        if apply_to is None:
            apply_to = self._weighting.apply_to
        self._probe = _PROBES[probe](shared, apply_to, reduce_dtype)
        if interval > 1 and apply_to == 'shared':
            raise InputError("`interval` should be 1 with `apply_to='shared'`,"
                             ' which needs the gradient of each task at each '
                             f'step, but got {interval}.')
        # Of the last comparison; None before the first, or if that failed.
        self._weights: dict[str, Tensor] | None = None
        # Losses that this process has had.
        self._num_losses = 0
        # Tasks of which it has had a loss without gradient.
        self._seen_constants: set[str] = set()
        self._is_prepared = False
        # Whether `backward` was called since `zero_grad`, and how many plain
        # passes there were before.
        self._has_gradients = False
        self._plain_passes = PlainPasses.count

    def initialize_count_status(self, model: nn.Module, init_counts: int,
                                max_counts: int) -> None:
        """Do as the parent; the probe looks at the model here."""
        super().initialize_count_status(model, init_counts, max_counts)
        self._prepare(model)
        self._warn_of_few_comparisons(
            ceil(max_counts / self._accumulative_counts))

    def should_sync(self) -> bool:
        """Do as the parent, but not by the model wrapper if the probe averages
        the gradients of the tasks, each on its own."""
        return super().should_sync() and not (
            self._probe.reduces_gradients and self._compares())

    @contextmanager
    def optim_context(self, model: nn.Module):
        """Do as the parent. The probe looks at the model here if nobody, such
        as MMEngine's ``FlexibleRunner``, initializes the counts."""
        if not self._is_prepared:
            self._prepare(model)
        with super().optim_context(model):
            yield
        if super().should_sync() and hasattr(model,
                                             'require_forward_param_sync'):
            # Without gradients to synchronise, torch's wrapper would not
            # broadcast the buffers any more, either.
            model.require_forward_param_sync = True

    @property
    def model(self) -> None:
        """What MMEngine's strategies hand to wrappers whose model runs the
        backward pass itself."""

    @model.setter
    def model(self, model: Any) -> None:
        raise InputTypeError(
            "`strategy.type` should be 'DDPStrategy' where gradients are "
            "harmonized or, with `probe='features'`, 'FSDPStrategy', since "
            'DeepSpeed runs the backward pass and the step itself, but the '
            f'model got into a {type(model).__name__}.')

    @torch.compiler.disable
    def scale_loss(self, loss: Tensor) -> Tensor:
        """Do as the parent; the task losses are scaled alike."""
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
        losses = take_apart(loss)
        self._num_losses += 1
        if self._num_losses == 1:
            check_gradients(losses)
        if is_due(self._num_losses):
            check_sum(losses)
        self._warn_of_constants(losses)
        compares = self._compares()
        self._inner_count += 1
        scale = self._loss_scale(loss)
        if scale is not None:
            losses = losses.map(lambda value: value * scale)
        if compares:
            measured = harmonized_backward(losses, self._parameters(),
                                           self._weighting, self._probe,
                                           scale, retain_graph,
                                           self.should_update())
            if measured is not None:
                self._weights = measured.weights
                self._log(measured, skips_overflow=scale is not None)
        else:
            weighted = losses.weighted(self._weights)
            weighted.backward(retain_graph=retain_graph)
        self._has_gradients = True

    def step(self, **kwargs) -> None:
        """Do as the parent.

        Raises:
            RuntimeError: If the gradients are not from :meth:`backward` but
                of a total with several tasks, so that the step would be of
                the plain sum.
        """
        if not self._has_gradients and (PlainPasses.count >
                                        self._plain_passes):
            raise RuntimeError(
                f'`{type(self).__name__}.step` should follow its `backward` '
                'or be left to `update_params(total)`, which harmonize, but '
                'the gradients are from elsewhere, such as '
                '`total.backward()` or `accelerator.backward(total)`: those '
                'of the plain sum. In a loop of your own, '
                '`mmgh.harmonize(...)` does without this wrapper.')
        super().step(**kwargs)

    def zero_grad(self, **kwargs) -> None:
        """Do as the parent; task gradients not yet stepped with go too."""
        self._probe.reset()
        self._has_gradients = False
        self._plain_passes = PlainPasses.count
        super().zero_grad(**kwargs)

    def state_dict(self) -> dict:
        """Return what the parent does, and what outlives an iteration here:
        memories of harmonizers, weights that are reused, gradients of tasks
        that wait for a step."""
        state = super().state_dict()
        kept = dict(
            memories=self._weighting.state_dict(),
            accumulated=self._probe.state_dict(self._all_parameters()))
        if self.interval > 1 and self._weights is not None:
            kept['weights'] = dict(self._weights)
        if any(kept.values()):
            state[_STATE] = {**kept, _FROZEN_COUNT: True}
        return state

    def load_state_dict(self, state_dict: dict) -> None:
        """Take over the state of a wrapper that harmonizes, or a stock one."""
        kept = state_dict.get(_STATE, {})
        self._weighting.load_state_dict(kept.get('memories', {}))
        self._weights = kept.get('weights')
        # Before, what was frozen had no number.
        self._probe.load_state_dict(
            kept.get('accumulated', {}),
            self._all_parameters()
            if kept.get(_FROZEN_COUNT) else self._parameters())
        super().load_state_dict({
            name: state
            for name, state in state_dict.items() if name != _STATE
        })

    @torch.compiler.disable
    def _prepare(self, model: nn.Module) -> None:
        self._probe.prepare(model)
        self._is_prepared = True

    def _warn_of_few_comparisons(self, steps: int) -> None:
        # No error: a trial of a few iterations is no mistake.
        if 1 < steps <= self.interval:
            print_log(
                f'`interval` should be less than {steps}, the number of steps '
                f'of this training, but got {self.interval}: gradients are '
                'compared at the first step alone, and its weights are those '
                'of all other steps.', 'current', logging.WARNING)

    def _warn_of_constants(self, losses: MarkedLoss) -> None:
        for task in losses.constants(losses.by_task) - self._seen_constants:
            self._seen_constants.add(task)
            print_log(
                f'The loss of the task `{task}` has no gradient in this step, '
                'which is of the other tasks alone. It is told once.',
                'current', logging.WARNING)

    def _loss_scale(self, loss: Tensor) -> Tensor | None:
        """Return what losses are multiplied by before a backward pass."""
        return None

    def _parameters(self) -> list[Tensor]:
        # One that stands there twice has one gradient.
        return [
            p for p in dict.fromkeys(self._all_parameters()) if p.requires_grad
        ]

    def _all_parameters(self) -> list[Tensor]:
        """Return frozen ones, too: what is frozen now may not have been when
        a checkpoint was saved, whose numbers should be the same."""
        return [
            parameter for group in self.optimizer.param_groups
            for parameter in group['params']
        ]

    def _compares(self) -> bool:
        """Tell whether this step looks at gradients, or reuses the weights."""
        step = self._inner_count // self._accumulative_counts
        return self._weights is None or step % self.interval == 0

    def _log(self, measured: Measured, skips_overflow: bool) -> None:
        """Log what was compared, after all work of the step was given out:
        the transfer from the device has to wait for the comparison.

        Where a Gramian is not finite there are no weights to reuse, and hooks
        are told the tasks. With a loss scale there is no step, and nothing to
        log; else NaN is logged, as older figures would be taken for new.
        """
        measured = measured.on_host()
        if diverged := measured.diverged():
            self._weights = None
            report_diverged_tasks(self.message_hub, diverged)
            if skips_overflow:
                return
        for name, value in measured.floats().items():
            self.message_hub.update_scalar(f'train/{name}', value)


def _refuse_mixed_precision(kind: type, arguments: Collection[str]) -> None:
    """Name the wrapper that takes these arguments."""
    found = sorted(_OF_AMP & set(arguments))
    if found and not issubclass(kind, AmpOptimWrapper):
        raise InputTypeError(
            "`optim_wrapper.type` should be 'mmgh.GHAmpOptimWrapper' with "
            f'{found}, which are for mixed precision, but got '
            f"'mmgh.{kind.__name__}'. In tools/train.py, --amp or "
            '--harmonizer choose the right one.')


def harmonization_arguments() -> list[str]:
    """Return the names of what a wrapper that harmonizes takes besides the
    arguments of a stock one."""
    parameters = signature(HarmonizationMixin.__init__).parameters
    return [name for name in parameters if name not in ('self', 'kwargs')]
