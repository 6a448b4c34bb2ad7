from __future__ import annotations

from typing import Sequence

from mmengine.dist import all_reduce, get_world_size
from torch import Tensor

from mmgh.task_losses import (SharedFeatures, get_shared_features,
                              require_task_losses)
from ..task_gradients import (TaskGradient, add_gradient, gramian,
                              probe_gradient, weighted_sum)
from .probe import Probe, Weigh, product_by_task


class FeatureProbe(Probe):
    """Compares gradients towards the features that the tasks share.

    They cost a backward pass of the heads alone. One backward pass of the
    weighted loss follows; with ``apply_to='shared'`` it is of the plain loss,
    and the weighted gradient of the features replaces the plain one on its
    way into the network.

    The angle is another one than between the gradients of the parameters: an
    approximation, as in MGDA-UB. Over ranks only Gramians are summed: those
    of the features of a whole batch are the sum of its parts'.
    """

    def __init__(self, shared: Sequence[str] | None, apply_to: str) -> None:
        if shared is not None:
            raise ValueError("`shared` should be left out with "
                             "`probe='features'`: the model marks its shared "
                             f'features itself; but got {shared!r}.')
        super().__init__(shared, apply_to)

    def backward(self, loss: Tensor, weigh: Weigh, parameters: list[Tensor],
                 retain_graph: bool, is_last: bool) -> None:
        features, task_losses = _require_shared_features(loss)
        gradients = {
            task: probe_gradient(task_loss, features)
            for task, task_loss in task_losses.items()
        }
        _check_reached(gradients)
        weights = product_by_task(
            weigh(lambda tasks, scale: _gramian_over_ranks(
                [gradients[task] for task in tasks], features, scale)))
        if self.apply_to == 'loss':
            loss = weighted_sum(require_task_losses(loss), weights)
            loss.backward(retain_graph=retain_graph)
        else:
            replacements = _weighted_gradient(gradients, weights)
            _backward_through(loss, replacements, retain_graph)


def _require_shared_features(loss: Tensor) -> SharedFeatures:
    shared = get_shared_features(loss)
    if shared is None:
        raise ValueError(
            "The model should mark its shared features for `probe='features'`,"
            ' but it marks none. Use `mmgh.UDAClassifier`, or let the model '
            'return its losses through `TaskLossMixin.losses_at`.')
    tensors = [tensor for tensor in shared.tensors if tensor.requires_grad]
    if not tensors:
        raise ValueError("The shared features should depend on trained "
                         "parameters for `probe='features'`, but all that is "
                         'before them is frozen.')
    return SharedFeatures(tensors, shared.task_losses)


def _check_reached(gradients: dict[str, TaskGradient]) -> None:
    for task, gradient in gradients.items():
        if not gradient:
            raise ValueError(f'The loss of the task `{task}` should depend on '
                             'the shared features, but does not.')


def _gramian_over_ranks(gradients: list[TaskGradient],
                        features: list[Tensor],
                        scale: Tensor | None) -> Tensor:
    """As if one rank had all samples, whose mean the losses are."""
    products = gramian(gradients, features, scale)
    all_reduce(products)
    return products / get_world_size()**2


def _weighted_gradient(gradients: dict[str, TaskGradient],
                       weights: dict[str, Tensor]) -> TaskGradient:
    total: TaskGradient = {}
    for task, gradient in gradients.items():
        add_gradient(total, {
            feature: grad * weights.get(task, 1)
            for feature, grad in gradient.items()
        })
    return total


def _backward_through(loss: Tensor, replacements: TaskGradient,
                      retain_graph: bool) -> None:
    """A backward pass in which some gradients are replaced on the way."""
    handles = [
        feature.register_hook(lambda _, gradient=gradient: gradient)
        for feature, gradient in replacements.items()
    ]
    loss.backward(retain_graph=retain_graph)
    for handle in handles:
        handle.remove()
