"""The contract between models and optim wrappers: which loss is whose.

A model hands the optim wrapper one scalar, the total. A model that wants to
be harmonized also attaches the parts of that scalar, one per task. A stock
wrapper does not look at them, so the same model trains there as usual.
"""
from __future__ import annotations

from typing import Any, Callable, Mapping, NamedTuple

import torch
from torch import Tensor

from mmgh.nested import flatten_tensors, map_tensors

_TASK_LOSSES = '_mmgh_task_losses'
_SHARED_FEATURES = '_mmgh_shared_features'


class SharedFeatures(NamedTuple):
    """Where the tasks' parts of a network begin."""

    tensors: list[Tensor]
    """Inputs of these parts, of any shape, on the graph of the losses."""

    task_losses: dict[str, Tensor]
    """The scalar loss of each task as the model computed it: gradients of
    these towards ``tensors`` pass no hook of a model wrapper."""


def attach_task_losses(
        total: Tensor,
        task_losses: Mapping[str, Tensor],
        shared_features: SharedFeatures | None = None) -> Tensor:
    """Attach the scalar loss of each task to their sum.

    Args:
        total (Tensor): The scalar that is minimised, the sum of the tasks'
            losses.
        task_losses (Mapping[str, Tensor]): A scalar per task. The order
            counts for harmonizers that are not symmetric: the first name is
            task 1.
        shared_features (SharedFeatures, optional): Where the tasks' gradients
            may be compared at little cost. Defaults to None: nowhere.

    Returns:
        Tensor: ``total`` itself. Arithmetic on it gives a tensor without
        tasks: attach them again.
    """
    setattr(total, _TASK_LOSSES, dict(task_losses))
    setattr(total, _SHARED_FEATURES, shared_features)
    return total


def get_task_losses(total: Tensor) -> dict[str, Tensor] | None:
    """The task losses attached to ``total``; None if there are none."""
    return getattr(total, _TASK_LOSSES, None)


def get_shared_features(total: Tensor) -> SharedFeatures | None:
    """The shared features attached to ``total``; None if there are none."""
    return getattr(total, _SHARED_FEATURES, None)


def require_task_losses(total: Tensor) -> dict[str, Tensor]:
    """The task losses attached to ``total``.

    Raises:
        ValueError: If there are none (it says how to attach them), or if
            one has no gradient.
    """
    task_losses = get_task_losses(total)
    if not task_losses:
        raise ValueError(
            'The total loss should carry its task losses, since a sum cannot '
            'be harmonized, but got none. Use `mmgh.UDAClassifier`, derive '
            'the model from `mmgh.task_losses.TaskLossMixin`, or call '
            '`mmgh.task_losses.attach_task_losses(total, {task: loss})` '
            'before `update_params`.')
    for task, loss in task_losses.items():
        if not loss.requires_grad:
            raise ValueError(f'The loss of the task `{task}` should depend on '
                             'trained parameters, but has no gradient.')
    return task_losses


def map_task_losses(total: Tensor,
                    function: Callable[[Tensor], Tensor]) -> Tensor:
    """Apply a linear function to a total and to all that is attached to it.

    Args:
        total (Tensor): Scalar that carries its task losses.
        function (Callable): From a scalar to a scalar.

    Returns:
        Tensor: The new total, which carries the new task losses.
    """

    def apply(losses: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {task: function(loss) for task, loss in losses.items()}

    shared = get_shared_features(total)
    if shared is not None:
        shared = SharedFeatures(shared.tensors, apply(shared.task_losses))
    return attach_task_losses(
        function(total), apply(require_task_losses(total)), shared)


def check_sum(total: Tensor, task_losses: Mapping[str, Tensor]) -> None:
    """Raise a clear error unless the parts make up the total.

    Raises:
        ValueError: If they do not sum up to it: a part that no task holds
            would silently not be trained.
    """
    difference = total.detach() - sum(
        loss.detach() for loss in task_losses.values())
    if difference.abs() > 1e-3 * (1 + total.detach().abs()):
        raise ValueError(
            f'The task losses {sorted(task_losses)} should sum up to the '
            f'total loss, but they differ from it by {difference.item():.4g}.')


class TaskLossMixin:
    """Makes any MMEngine model mark its losses by task.

    Put it before the model class. ``tasks`` maps the name of each loss that
    the model returns to its task; losses of one task are summed:

    Example:
        >>> class SegmentorWithDepth(TaskLossMixin, BaseModel):
        ...     tasks = dict(loss_ce='seg', loss_dice='seg', loss_l1='depth')

    A model may also tell which features its tasks share, so that their
    gradients can be compared there (``probe='features'`` of the wrapper):

    Example:
        >>> def forward(self, inputs, labels, mode='loss'):
        ...     features = self.backbone(inputs)
        ...     return self.losses_at(features, self.head_losses, labels)
    """

    tasks: Mapping[str, str]
    _shared: tuple[list[Tensor], dict] | None = None

    def task_of(self, loss_name: str) -> str:
        """Name of the task that the loss belongs to.

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

        Returns:
            dict: The losses, for the model to return as they are: scaled
            later, they would not be what was compared. They are copies: the
            hooks that a model wrapper puts on them are not on the originals.
        """
        losses = compute(features, *args)
        self._shared = flatten_tensors(features), losses
        return {
            name: map_tensors(torch.clone, value) if 'loss' in name else value
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
        attach_task_losses(total, self._sum_by_task(losses), shared)
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
