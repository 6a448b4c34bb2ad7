"""The contract between models and optim wrappers: which loss is whose.

A model hands the optim wrapper one scalar, the total. A model that wants to
be harmonized also attaches the parts of that scalar, one per task. A stock
wrapper does not look at them, so the same model trains there as usual.
"""
from __future__ import annotations

from typing import Mapping

from torch import Tensor

_ATTRIBUTE = '_mmgh_task_losses'


def attach_task_losses(total: Tensor,
                       task_losses: Mapping[str, Tensor]) -> Tensor:
    """Attach the scalar loss of each task to their sum.

    Args:
        total (Tensor): The scalar that is minimised, the sum of the tasks'
            losses.
        task_losses (Mapping[str, Tensor]): A scalar per task. The order
            counts for harmonizers that are not symmetric: the first name is
            task 1.

    Returns:
        Tensor: ``total`` itself. Arithmetic on it gives a tensor without
        tasks: attach them again.
    """
    setattr(total, _ATTRIBUTE, dict(task_losses))
    return total


def get_task_losses(total: Tensor) -> dict[str, Tensor] | None:
    """The task losses attached to ``total``; None if there are none."""
    return getattr(total, _ATTRIBUTE, None)


def require_task_losses(total: Tensor) -> dict[str, Tensor]:
    """The task losses attached to ``total``.

    Raises:
        ValueError: If there are none. It says how to attach them.
    """
    task_losses = get_task_losses(total)
    if not task_losses:
        raise ValueError(
            'The total loss should carry its task losses, since a sum cannot '
            'be harmonized, but got none. Use `mmgh.UDAClassifier`, derive '
            'the model from `mmgh.task_losses.TaskLossMixin`, or call '
            '`mmgh.task_losses.attach_task_losses(total, {task: loss})` '
            'before `update_params`.')
    return task_losses


def check_task_losses(total: Tensor, task_losses: Mapping[str,
                                                          Tensor]) -> None:
    """Raise a clear error unless the parts make up the total.

    Raises:
        ValueError: If they do not sum up to it (a part that no task holds
            would silently not be trained), or if one has no gradient.
    """
    for task, loss in task_losses.items():
        if not loss.requires_grad:
            raise ValueError(f'The loss of the task `{task}` should depend on '
                             'trained parameters, but has no gradient.')
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
    """

    tasks: Mapping[str, str]

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

    def parse_losses(self, losses: dict) -> tuple[Tensor, dict]:
        """Sum the losses as the model does, and attach them by task.

        Args:
            losses (dict[str, Tensor | list[Tensor]]): What the model returned.
                As in MMEngine, each name that contains ``loss`` counts.

        Returns:
            tuple[Tensor, dict]: The total with its task losses, and what is
            logged.
        """
        total, log_vars = super().parse_losses(losses)
        task_losses: dict[str, Tensor] = {}
        for name in (name for name in losses if 'loss' in name):
            task = self.task_of(name)
            task_losses[task] = task_losses.get(task, 0) + log_vars[name]
        return attach_task_losses(total, task_losses), log_vars
