from __future__ import annotations

from dataclasses import dataclass
from typing import Iterable, Sequence

import torch
from mmengine.dist import all_reduce, get_world_size
from torch import Tensor

from mmgh.gradients import TaskGradient, gramian_of, probe_gradient
from mmgh.input_error import InputError
from mmgh.task_losses import MarkedLoss, SharedFeatures, is_due
from .probe import Comparison, Probe, TaskWeights, product_by_task


class FeatureProbe(Probe):
    """Compares gradients towards the features that the tasks share.

    They cost a backward pass of the heads alone. One backward pass of the
    weighted loss follows; with ``apply_to='shared'`` it is of the plain loss,
    and the gradient of the features is weighted on its way into the network.

    The angle is another one than between the gradients of the parameters: an
    approximation, as in MGDA-UB. Over ranks only Gramians are summed: those
    of the features of a whole batch are the sum of its parts'.
    """

    def __init__(self,
                 shared: Sequence[str] | None,
                 apply_to: str,
                 reduce_dtype: str | None = None) -> None:
        if shared is not None:
            raise InputError("`shared` should be left out with "
                             "`probe='features'`: the model marks its shared "
                             f'features itself; but got {shared!r}.')
        if reduce_dtype is not None:
            raise InputError("`reduce_dtype` should be left out with "
                             "`probe='features'`, where the model wrapper "
                             'sends the gradients, by a communication hook '
                             f'of yours or without; but got {reduce_dtype!r}.')
        super().__init__(shared, apply_to)
        self._num_losses = 0

    def compare(self, losses: MarkedLoss, tasks: list[str],
                parameters: list[Tensor], retain_graph: bool,
                is_last: bool) -> Comparison:
        features, probed_losses = _require_shared_features(losses)
        self._num_losses += 1
        if is_due(self._num_losses):
            _check_same_losses(tasks, losses.by_task, probed_losses)
        gradients = {
            task: probe_gradient(probed_losses[task], features)
            for task in tasks
        }
        _check_reached(set(tasks) - losses.constants(tasks), gradients)
        return _FeatureGradients(gradients, features, losses, self.apply_to,
                                 retain_graph)


@dataclass
class _FeatureGradients(Comparison):

    gradients: dict[str, TaskGradient]
    features: list[Tensor]
    losses: MarkedLoss
    apply_to: str
    retain_graph: bool

    def gramian(self, tasks: Sequence[str], scale: Tensor | None) -> Tensor:
        return _gramian_over_ranks([self.gradients[task] for task in tasks],
                                   self.features, scale)

    def backward(self, weights: TaskWeights) -> None:
        by_task = product_by_task(weights)
        if self.apply_to == 'loss':
            loss = self.losses.weighted(by_task)
            loss.backward(retain_graph=self.retain_graph)
        else:
            changes = _changes(self.gradients, by_task)
            _backward_with_changes(self.losses.total, changes,
                                   self.retain_graph)


def _require_shared_features(losses: MarkedLoss) -> SharedFeatures:
    shared = losses.shared_features
    if shared is None:
        raise InputError(
            "The model should mark its shared features for `probe='features'`,"
            ' but it marks none. Use `mmgh.UDAClassifier`, name a module in '
            '`features` of `mmgh.TaskMarked`, or let the model return its '
            'losses through `TaskLossMixin.losses_at`.')
    tensors = [tensor for tensor in shared.tensors if tensor.requires_grad]
    if not tensors:
        raise InputError("The shared features should depend on trained "
                         "parameters for `probe='features'`, but all that is "
                         'before them is frozen.')
    return SharedFeatures(tensors, shared.task_losses)


def _check_same_losses(tasks: Sequence[str], task_losses: dict[str, Tensor],
                       probed_losses: dict[str, Tensor]) -> None:
    for task in tasks:
        loss = task_losses[task].detach()
        probed = probed_losses.get(task, torch.zeros_like(loss)).detach()
        if not torch.isclose(loss, probed, rtol=1e-3, equal_nan=True):
            raise InputError(
                f'The loss of the task `{task}` should come as it is from one '
                "call of `TaskLossMixin.losses_at` for `probe='features'`, "
                f'but is {loss.item():.4g} in the total and '
                f'{probed.item():.4g} there.')


def _check_reached(tasks: Iterable[str],
                   gradients: dict[str, TaskGradient]) -> None:
    for task in tasks:
        if not gradients[task]:
            raise InputError(f'The loss of the task `{task}` should depend on '
                             'the shared features, but does not.')


def _gramian_over_ranks(gradients: list[TaskGradient],
                        features: list[Tensor],
                        scale: Tensor | None) -> Tensor:
    """Compare as if one rank had all samples, whose mean the losses are."""
    products = gramian_of(gradients, features, scale)
    all_reduce(products)
    return products / get_world_size()**2


def _changes(gradients: dict[str, TaskGradient],
             weights: dict[str, Tensor]) -> TaskGradient:
    """Return what weighting adds to the plain gradient of each feature."""
    changes: TaskGradient = {}
    for task, gradient in gradients.items():
        for feature, grad in gradient.items():
            change = grad * (weights[task] - 1)
            changes[feature] = (
                changes[feature] + change if feature in changes else change)
    return changes


def _backward_with_changes(loss: Tensor, changes: TaskGradient,
                           retain_graph: bool) -> None:
    """Run a backward pass that changes some gradients on the way."""
    handles = [
        feature.register_hook(lambda grad, change=change: grad + change)
        for feature, change in changes.items()
    ]
    try:
        loss.backward(retain_graph=retain_graph)
    finally:
        for handle in handles:
            handle.remove()
