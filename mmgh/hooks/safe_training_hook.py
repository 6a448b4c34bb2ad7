from __future__ import annotations

import math
from typing import Sequence

import torch
from mmengine.hooks import Hook
from mmengine.utils import apply_to
from torch import Tensor

from mmgh.arguments import COUNT, number
from mmgh.divergence import diverged_weights
from mmgh.input_error import InputTypeError
from mmgh.registry import HOOKS
from mmgh.unwrap import unwrap
from .snapshot import restore_snapshot, take_snapshot

_STATE = 'safe_training'
# A weaker adaptation is not what makes predictions collapse.
_MIN_STRENGTH = 0.1


@HOOKS.register_module()
class SafeTrainingHook(Hook):
    r"""Undoes a collapse of the predictions on the target.

    It controls how strongly a model adapts, by its buffer
    ``adaptation_strength``, which ramps up over iterations ``t``:

    .. math::
        r(t) = \sin(\frac \pi 2 \min(1, \frac{t - t_r}{T_r}))

    Each ``interval`` of :math:`T` iterations ends with a look at the model's
    ``diversity``, the number of classes that it predicted for the target in
    each iteration. It is averaged over 1, 2, 4, ... equal parts of the
    interval. If the mean of a part is lower by more than ``tolerance`` than
    that of the part before (for the first one, the last part of the interval
    before), the model and the optimizer get back the state that they had at
    the beginning of the interval, and the ramp starts again: :math:`t_r = t`.
    If its last start was no longer ago than :math:`T_r`, which at first is
    :math:`T`, :math:`T_r` doubles. Without a drop, or if the strength is at
    most 0.1 by then, the state at the end of the interval is the next
    snapshot. Weights that are not finite count as a drop at any strength.

    Averages of an ``EMAHook`` are not restored.

    Learning rates and other options of the optimizer stay where the schedule
    has them. Snapshots are in the memory of the CPU. The state of the hook is
    in the checkpoints, snapshot included, which makes them about twice as
    large.

    Args:
        interval (int): :math:`T`. Defaults to 1000.
        num_scales (int): How many divisions of an interval are looked at,
            into 1, 2, ..., ``2**(num_scales - 1)`` parts. Defaults to 5, as
            in the published code.
        tolerance (float): A drop that is no collapse, in classes. Defaults
            to 1.

    Source: Safe Self-Refinement for Transformer-based Domain Adaptation
    (CVPR 2022), section 3. The published code keeps references to the
    weights as its snapshot, so that its restoring changes nothing.

    Example:
        >>> custom_hooks = [dict(type='mmgh.SafeTrainingHook', interval=1000)]
    """

    def __init__(self,
                 interval: int = 1000,
                 num_scales: int = 5,
                 tolerance: float = 1.) -> None:
        COUNT.check(interval=interval, num_scales=num_scales)
        number(
            at_least=1,
            at_most=int(interval).bit_length(),
            whole=True,
            since='there are 2**(num_scales - 1) parts of an `interval` of '
            f'{interval}').check(num_scales=num_scales)
        number(at_least=0).check(tolerance=tolerance)
        self.interval = interval
        self.num_scales = num_scales
        self.tolerance = tolerance
        self._snapshot: dict | None = None
        self._begin(0)

    def strength(self, iteration: int) -> float:
        """Return the ramp ``r``, in [0, 1]."""
        progress = (iteration - self._ramp_begin) / self._ramp_iters
        return math.sin(math.pi / 2 * min(1., progress))

    def before_train_epoch(self, runner) -> None:
        """Take the first snapshot, when all other hooks have prepared the
        model; unless a checkpoint brought one."""
        model = unwrap(runner.model)
        if not hasattr(model, 'adaptation_strength'):
            raise InputTypeError(
                '`SafeTrainingHook` should be used with a model that has an '
                '`adaptation_strength`, such as `mmgh.SSRTClassifier`, but '
                f'got {type(model).__name__}.')
        # In iteration 0 the checkpoint is that of another training.
        if self._snapshot is None or runner.iter == 0:
            self._begin(runner.iter)
            self._snapshot = take_snapshot(runner)

    def before_train_iter(self, runner, batch_idx, data_batch=None) -> None:
        """Set the strength of the adaptation."""
        unwrap(runner.model).adaptation_strength.fill_(
            self.strength(runner.iter))

    def after_train_iter(self,
                         runner,
                         batch_idx,
                         data_batch=None,
                         outputs=None) -> None:
        """Note the diversity; at the end of an interval, judge it."""
        self._diversities.append(outputs['diversity'])
        if len(self._diversities) < self.interval:
            return
        current = _to_floats(self._diversities)
        self._diversities = []
        is_adapting = self.strength(runner.iter) > _MIN_STRENGTH
        reason = None
        if diverged_weights(unwrap(runner.model)):
            reason = 'Weights are not finite'
        elif is_adapting and has_dropped(self._previous, current,
                                         self.num_scales, self.tolerance):
            reason = 'The target predictions lost diversity'
        if reason:
            restore_snapshot(runner, self._snapshot)
            self._restart_ramp(runner.iter + 1)
            runner.logger.warning(
                f'{reason}: model and optimizer '
                f'are again as {len(current)} iterations ago, and the '
                f'adaptation ramps up over {self._ramp_iters} iterations.')
        else:
            self._previous = current
            self._snapshot = take_snapshot(runner)

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        """Add the state of the hook."""
        checkpoint[_STATE] = dict(
            snapshot=self._snapshot,
            diversities=_to_floats(self._diversities),
            previous=self._previous,
            ramp_begin=self._ramp_begin,
            ramp_iters=self._ramp_iters)

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        """Take over the state of the hook, if there is one."""
        if _STATE not in checkpoint:
            return
        state = checkpoint[_STATE]
        self._snapshot = apply_to(state['snapshot'], torch.is_tensor,
                                  Tensor.cpu)
        self._diversities = list(state['diversities'])
        self._previous = state['previous']
        self._ramp_begin = state['ramp_begin']
        self._ramp_iters = state['ramp_iters']

    def _begin(self, iteration: int) -> None:
        self._diversities: list[Tensor | float] = []
        self._previous: list[float] = []
        self._ramp_begin = iteration
        self._ramp_iters = self.interval

    def _restart_ramp(self, iteration: int) -> None:
        if iteration - self._ramp_begin <= self._ramp_iters:
            self._ramp_iters *= 2
        self._ramp_begin = iteration


def has_dropped(previous: Sequence[float], current: Sequence[float],
                num_scales: int, tolerance: float) -> bool:
    """Tell whether a part of an interval has a lower mean than that before.

    Args:
        previous (Sequence[float]): Diversities of the interval before; may be
            empty.
        current (Sequence[float]): Of the interval to judge.
        num_scales (int): Number of divisions into 1, 2, 4, ... parts.
        tolerance (float): How much lower it may be.
    """
    for scale in range(num_scales):
        means = _means_of_parts(current, 2**scale)
        if previous:
            means = _means_of_parts(previous, 2**scale)[-1:] + means
        if any(after < before - tolerance
               for before, after in zip(means, means[1:])):
            return True
    return False


def _means_of_parts(values: Sequence[float], count: int) -> list[float]:
    parts = torch.tensor(values, dtype=torch.float64).tensor_split(count)
    return [part.mean().item() for part in parts]


def _to_floats(values: Sequence[Tensor | float]) -> list[float]:
    return [float(value) for value in values]
