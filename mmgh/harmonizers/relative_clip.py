from __future__ import annotations

from typing import Sequence

import torch
from torch import Tensor

from mmgh.arguments import NAME, number
from mmgh.input_error import InputError, InputTypeError
from mmgh.registry import TASK_UTILS
from .harmonizer import Harmonizer


@TASK_UTILS.register_module()
class RelativeClip(Harmonizer):
    r"""Clips the gradients of all tasks relative to that of a reference task.

    An alignment that is too strong, by its factor or by its method, moves the
    features more than the classification can follow. With :math:`n_i` the norm
    of task i's gradient and :math:`m` the largest norm that the reference task
    has had so far, task i weighs

    .. math::
        w_i = \min(1, \rho \, m / n_i)

    and the reference weighs 1. So it is gradient clipping per task, whose
    threshold is not a number in the unit of a loss but a share of what the
    classification started with: one ``ratio`` serves losses of any scale.
    Where it is active, a factor of a task's loss changes nothing on what the
    tasks share, so that the strength of the alignment need not be tuned.
    Unlike the weights of GH it acts from the first step, when the
    classification's gradient is long.

    Both norms are moving averages of squared norms. The weights are for the
    parameters that the tasks share (``apply_to='shared'``): a discriminator
    keeps its gradient, without which it could not tell the domains apart.

    Args:
        ratio (float): :math:`\rho`, above 0. Defaults to 0.2.
        reference (str): Name of the task that others are measured by. Defaults
            to ``'cls'``.
        momentum (float): Of the moving averages, in [0, 1). Defaults to 0.9.
        harmonizer (dict | Harmonizer, optional): Harmonizes the clipped
            gradients. Defaults to None.

    Source: none published. Measured in the README, "Does harmonization
    help?".

    Example:
        >>> optim_wrapper = dict(
        ...     type='mmgh.GHOptimWrapper',
        ...     harmonizer=dict(
        ...         type='mmgh.RelativeClip',
        ...         harmonizer=dict(type='mmgh.GHPlusPlus')))
    """

    apply_to = 'shared'
    memory = ('squares', 'share', 'reference_square')

    def __init__(self,
                 ratio: float = 0.2,
                 reference: str = 'cls',
                 momentum: float = 0.9,
                 harmonizer: dict | Harmonizer | None = None) -> None:
        if isinstance(harmonizer, dict):
            harmonizer = TASK_UTILS.build(harmonizer)
        number(above=0).check(ratio=ratio)
        NAME.check(reference=reference)
        number(at_least=0, below=1).check(momentum=momentum)
        if not (harmonizer is None or isinstance(harmonizer, Harmonizer)):
            raise InputTypeError(
                '`harmonizer` should be a config such as '
                f"dict(type='mmgh.GH'), but got {harmonizer!r}.")
        self.ratio = ratio
        self.reference = reference
        self.momentum = momentum
        self.harmonizer = harmonizer
        self.num_tasks = None if harmonizer is None else harmonizer.num_tasks
        self.squares = self.share = self.reference_square = torch.zeros(())

    def prepare(self, tasks: Sequence[str]) -> None:
        if self.reference not in tasks:
            raise InputError('`reference` should be one of the tasks '
                             f'{tuple(tasks)}, but got {self.reference!r}.')
        self.tasks = tuple(tasks)
        self._index = self.tasks.index(self.reference)
        if self.harmonizer is not None:
            self.harmonizer.prepare(tasks)

    def weigh(self, gramian: Tensor) -> Tensor:
        self._remember(gramian)
        squares = self.squares / self.share
        clip = self.ratio * (self.reference_square / squares).sqrt()
        # No gradient, or none that is finite, says nothing.
        clip = torch.where(clip > 0, clip.clamp(max=1), 1.)
        clip[self._index] = 1.
        self._clip = clip
        if self.harmonizer is None:
            return clip
        weights = self.harmonizer(gramian * clip.outer(clip))
        bound = self.harmonizer.max_weight or len(weights)
        return clip * weights.clamp(-bound, bound)

    def scalars(self) -> dict[str, Tensor]:
        """Return ``clip_<task>``, the weight by clipping alone, in (0, 1]."""
        return {
            f'clip_{task}': clip
            for task, clip in zip(self.tasks, self._clip)
            if task != self.reference
        }

    def state_dict(self) -> dict:
        state = super().state_dict()
        if self.harmonizer is not None:
            state['harmonizer'] = self.harmonizer.state_dict()
        return state

    def load_state_dict(self, state_dict: dict) -> None:
        super().load_state_dict(state_dict)
        if self.harmonizer is not None:
            self.harmonizer.load_state_dict(state_dict['harmonizer'])

    def _remember(self, gramian: Tensor) -> None:
        """Take in the norms of this step, if all are finite."""
        new = gramian.diagonal()
        is_finite = gramian.isfinite().all()
        for name, value in (('squares', new), ('share', new.new_ones(()))):
            old = getattr(self, name).to(new)
            mean = torch.lerp(value, old.expand_as(value), self.momentum)
            setattr(self, name, torch.where(is_finite, mean, old))
        square = (self.squares / self.share)[self._index]
        old = self.reference_square.to(new)
        self.reference_square = torch.where(is_finite, old.maximum(square),
                                            old)
