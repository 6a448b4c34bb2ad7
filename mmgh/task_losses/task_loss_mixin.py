from __future__ import annotations

from types import MappingProxyType
from typing import Any, Callable, Mapping

import torch
from mmengine.utils import apply_to
from torch import Tensor

from mmgh.nested import flatten_tensors
from .marked_loss import Pairs, SharedFeatures, attach_task_losses


class TaskLossMixin:
    """Make any MMEngine model mark its losses by task.

    Put it before the model class. ``tasks`` maps the name of each loss that
    the model returns to its task; losses of one task are summed:

    Example:
        >>> class SegmentorWithDepth(TaskLossMixin, BaseModel):
        ...     tasks = dict(loss_ce='seg', loss_dice='seg', loss_l1='depth')
        ...     pairs = [('seg', 'depth')]

    ``pairs`` says which tasks are harmonized with each other unless the user
    names some, and which of them is task 1. None: all of them together.

    ``factors`` has the scalars by which losses of a task were multiplied, if
    harmonizers are to compare its gradient without that one.

    A model may also tell which features its tasks share, so that their
    gradients can be compared there (``probe='features'`` of the wrapper):

    Example:
        >>> def forward(self, inputs, labels, mode='loss'):
        ...     features = self.backbone(inputs)
        ...     return self.losses_at(features, self.head_losses, labels)
    """

    tasks: Mapping[str, str]
    pairs: Pairs | None = None
    factors: Mapping[str, Tensor] = MappingProxyType({})
    _shared: tuple[list[Tensor], dict] | None = None

    def task_of(self, loss_name: str) -> str:
        """Return the name of the task that the loss belongs to.

        Raises:
            KeyError: If the loss belongs to none: a part of the total that
                no task holds would be lost.
        """
        if loss_name not in getattr(self, 'tasks', {}):
            raise KeyError(
                f'`{type(self).__name__}.tasks` should name the task of every '
                f'loss, but has none for `{loss_name}`; it knows '
                f"{sorted(getattr(self, 'tasks', {}))}.")
        return self.tasks[loss_name]

    @torch.compiler.disable
    def losses_at(self, features: Any, compute: Callable[..., dict],
                  *args) -> dict:
        """Compute the losses from features that the tasks share.

        To be called once an iteration, for all losses to harmonize.

        ``torch.compile`` ends the compiled part here: inside of it there is
        no gradient towards the features.

        Args:
            features (Any): A tensor, or nested tuples and lists of tensors
                and None. Everything that the tasks share is before them.
            compute (Callable): ``compute(features, *args)`` returns the
                losses by name.
            *args (Any): What else it takes.

        Returns:
            dict: The losses, for the model to return as they are: scaled
            later, they would not be what was compared. They are copies: the
            hooks that a model wrapper puts on them are not on the originals.
        """
        losses = compute(features, *args)
        self._shared = flatten_tensors(features), losses
        return {
            name: apply_to(value, torch.is_tensor, torch.clone)
            if 'loss' in name else value
            for name, value in losses.items()
        }

    @torch.compiler.disable
    def parse_losses(self, losses: dict) -> tuple[Tensor, dict]:
        """Sum the losses as the model does, and attach them by task.

        (Not compiled: one compiled part with several losses would lead from
        each of them to all parameters, with zero gradients.)

        Args:
            losses (dict[str, Tensor | list[Tensor]]): What the model returned.
                As in MMEngine, each name that contains ``loss`` counts.

        Returns:
            tuple[Tensor, dict]: The total with its task losses and shared
            features, and what is logged.
        """
        total, log_vars = super().parse_losses(losses)
        shared, self._shared = self._shared, None
        if shared is not None:
            tensors, originals = shared
            shared = SharedFeatures(tensors, self._sum_by_task(originals))
        attach_task_losses(total, self._sum_by_task(losses), shared,
                           self.pairs, self.factors)
        return total, log_vars

    def _sum_by_task(self, losses: dict) -> dict[str, Tensor]:
        task_losses: dict[str, Tensor] = {}
        for name in (name for name in losses if 'loss' in name):
            task = self.task_of(name)
            loss = sum(part.mean() for part in flatten_tensors(losses[name]))
            task_losses[task] = task_losses.get(task, 0) + loss
        return task_losses

    def __getstate__(self) -> dict:
        """Without tensors of an iteration, which cannot be copied."""
        return {**self.__dict__, '_shared': None}
