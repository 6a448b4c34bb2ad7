from __future__ import annotations

from typing import (Any, Callable, Iterable, Iterator, Mapping, NamedTuple,
                    Sequence)

import torch
from torch import Tensor

from mmgh.arguments import NAME, list_of
from mmgh.input_error import InputError

# Names of tasks that are harmonized with each other, two by two.
Pairs = Sequence[tuple[str, str]]

_MARKS = '_mmgh_marks'
# How far sums in another order may be apart, relative to their parts.
_ROUNDING = 1e-5
_HALF = torch.float16, torch.bfloat16
_HALF_ROUNDING = 8 * torch.finfo(torch.bfloat16).eps


class SharedFeatures(NamedTuple):
    """Where the tasks' parts of a network begin."""

    tensors: list[Tensor]
    """Inputs of these parts, of any shape, on the graph of the losses."""

    task_losses: dict[str, Tensor]
    """The scalar loss of each task as the model computed it: gradients of
    these towards ``tensors`` pass no hook of a model wrapper."""


class MarkedLoss(NamedTuple):
    """A total, taken apart: what an optim wrapper works with."""

    total: Tensor
    """The scalar that is minimised."""

    by_task: dict[str, Tensor]
    """The scalar loss of each task."""

    shared_features: SharedFeatures | None
    """Where the tasks' gradients may be compared at little cost."""

    pairs: Pairs | None
    """Which tasks the method harmonizes with each other, in order."""

    factors: Mapping[str, Tensor]
    """Of a loss what harmonizers do not see: they compare the gradient without
    it. Scalars; a task that is not there has 1."""

    def map(self, function: Callable[[Tensor], Tensor]) -> MarkedLoss:
        """Apply a linear function, from a scalar to a scalar, to each."""

        def of_each(losses: Mapping[str, Tensor]) -> dict[str, Tensor]:
            return {task: function(loss) for task, loss in losses.items()}

        shared = self.shared_features
        if shared is not None:
            shared = SharedFeatures(shared.tensors,
                                    of_each(shared.task_losses))
        return MarkedLoss(
            function(self.total), of_each(self.by_task), shared, self.pairs,
            self.factors)

    def constants(self, tasks: Iterable[str]) -> set[str]:
        """Return which of these tasks have a loss that depends on nothing in
        this step, as where no target image is confident."""
        return {
            task for task in tasks if not self.by_task[task].requires_grad
        }

    def without_factors(self, gramian: Tensor,
                        tasks: Sequence[str]) -> Tensor:
        """Return the Gramian of the gradients without their factors; not
        finite where one is 0.

        Args:
            gramian (Tensor): Shape ``(K, K)``.
            tasks (Sequence[str]): Names of K tasks.
        """
        if not self.factors:
            return gramian
        factors = torch.stack([
            torch.as_tensor(self.factors.get(task, 1.)).to(gramian)
            for task in tasks
        ])
        return gramian / factors / factors[:, None]

    def weighted(self, weights: Mapping[str, Tensor]) -> Tensor:
        """Return the dynamically weighted loss, a scalar; a task without a
        weight has weight 1."""
        return sum(loss * weights.get(task, 1)
                   for task, loss in self.by_task.items())


class PlainPasses:
    """Counts backward passes of totals that carry several task losses.

    They are those of a plain training, whoever runs them. An optim wrapper
    that harmonizes and is to step with their gradients was passed over.
    """

    count = 0

    @classmethod
    def count_one(cls, grad: Tensor) -> None:
        """Be the hook of a total."""
        cls.count += 1


def attach_task_losses(total: Tensor,
                       task_losses: Mapping[str, Tensor],
                       shared_features: SharedFeatures | None = None,
                       pairs: Pairs | None = None,
                       factors: Mapping[str, Tensor] | None = None) -> Tensor:
    """Attach the scalar loss of each task to their sum.

    Args:
        total (Tensor): The scalar that is minimised, the sum of the tasks'
            losses.
        task_losses (Mapping[str, Tensor]): A scalar per task. Without
            ``pairs`` the order counts for harmonizers that are not symmetric:
            the first name is task 1.
        shared_features (SharedFeatures, optional): Where the tasks' gradients
            may be compared at little cost. Defaults to None: nowhere.
        pairs (Sequence[tuple[str, str]], optional): Which tasks are
            harmonized with each other unless the user says otherwise; of each
            pair the first is task 1. Defaults to None: all of them together.
        factors (Mapping[str, Tensor], optional): What the loss of a task has
            been multiplied by, a scalar, for harmonizers to compare its
            gradient without it. Defaults to None: nothing.

    Returns:
        Tensor: ``total`` itself. Arithmetic on it gives a tensor without
        tasks, see :func:`map_task_losses`.
    """
    setattr(total, _MARKS,
            (dict(task_losses), shared_features, pairs, dict(factors or {})))
    if total.grad_fn is not None:
        total.grad_fn.metadata[_MARKS] = True
        if len(task_losses) > 1:
            total.register_hook(PlainPasses.count_one)
    return total


def get_task_losses(total: Tensor) -> dict[str, Tensor] | None:
    """Return the task losses attached to ``total``; None without any."""
    return getattr(total, _MARKS, (None, ))[0]


def get_shared_features(total: Tensor) -> SharedFeatures | None:
    """Return the shared features attached to ``total``; None without any."""
    return getattr(total, _MARKS, (None, None))[1]


def take_apart(total: Tensor) -> MarkedLoss:
    """Return a total with all that is attached to it.

    Raises:
        ValueError: If no task losses are; it says how to attach them.
    """
    if not get_task_losses(total):
        if _is_made_of_marked(total):
            raise InputError(
                'The total loss should come as the model made it, since '
                'arithmetic such as `total / 2` or `total + penalty` loses '
                'the task losses that it carries. To scale it, use '
                '`mmgh.task_losses.map_task_losses(total, function)`; to add '
                'something, add it to the loss of a task. What divides the '
                'loss by itself, such as `accelerator.backward` or the '
                'automatic optimization of Lightning, gives way to '
                '`mmgh.harmonize(total, ...)`.')
        raise InputError(
            'The total loss should carry its task losses, since a sum cannot '
            'be harmonized, but got none. Use `mmgh.UDAClassifier`, put '
            '`mmgh.TaskMarked` around the model in its config, derive it '
            'from `mmgh.task_losses.TaskLossMixin`, or call '
            '`mmgh.task_losses.attach_task_losses(total, {task: loss})` '
            'before `update_params`.')
    return MarkedLoss(total, *getattr(total, _MARKS))


def _is_made_of_marked(tensor: Tensor) -> bool:
    """Tell whether a total that carries task losses is in its graph."""
    return any(_MARKS in node.metadata for node in _graph_nodes(tensor))


def _graph_nodes(tensor: Tensor) -> Iterator[Any]:
    """Yield the functions in the graph of a tensor, each once."""
    nodes, seen = [tensor.grad_fn], set()
    while nodes:
        node = nodes.pop()
        if node is not None and node not in seen:
            seen.add(node)
            yield node
            nodes.extend(before for before, _ in node.next_functions)


def harmonizes(optim_wrapper: Any) -> bool:
    """Tell whether an optim wrapper looks at the task losses."""
    return getattr(optim_wrapper, 'harmonizes', False)


def map_task_losses(total: Tensor,
                    function: Callable[[Tensor], Tensor]) -> Tensor:
    """Apply a linear function to a total and to all that is attached to it.

    Args:
        total (Tensor): Scalar that carries its task losses.
        function (Callable): From a scalar to a scalar.

    Returns:
        Tensor: The new total, which carries the new task losses.
    """
    return attach_task_losses(*take_apart(total).map(function))


def check_gradients(losses: MarkedLoss) -> None:
    """Refuse a loss that trains nothing.

    Raises:
        ValueError: If it depends on no trained parameter.
    """
    for task in losses.constants(losses.by_task):
        raise InputError(f'The loss of the task `{task}` should depend on '
                         'trained parameters, but has no gradient.')


def is_due(count: int) -> bool:
    """Tell whether a check is due for which the host waits for the device:
    the first time, the tenth, the hundredth and so on."""
    return count == 10**(len(str(count)) - 1)


def check_sum(losses: MarkedLoss) -> None:
    """Refuse parts that do not make up the total, but for roundings.

    Raises:
        ValueError: If they do not sum up to it: a part that no task holds
            would silently not be trained.
    """
    parts = [losses.total.detach(),
             *(-loss.detach() for loss in losses.by_task.values())]
    difference = sum(parts)
    share = difference.abs() / sum(part.abs() for part in parts)
    if share > _ROUNDING and (share > _HALF_ROUNDING
                              or not _has_half_precision(losses)):
        raise InputError(
            f'The task losses {sorted(losses.by_task)} should sum up to the '
            f'total loss, but they differ from it by {difference.item():.4g}.')


def _has_half_precision(losses: MarkedLoss) -> bool:
    """Tell whether the losses, or something in the graph of the total, are of
    half precision, as under autocast: they may have been summed up in it."""
    if any(loss.dtype in _HALF for loss in losses.by_task.values()):
        return True
    return any(
        output.dtype in _HALF for node in _graph_nodes(losses.total)
        # Torch before 2.2 does not tell.
        for output in getattr(node, '_input_metadata', ()))


def check_pairs(pairs: Pairs) -> None:
    """Refuse what are not different pairs of two tasks.

    Raises:
        TypeError: If they are no lists of names.
        ValueError: If they are, but not such ones.
    """
    list_of(list_of(NAME, length=2)).check(pairs=pairs)
    if any(first == second for first, second in pairs):
        raise InputError('`pairs` should list pairs of two different tasks, '
                         f'but got {pairs!r}.')
    if len(set(map(frozenset, pairs))) < len(pairs):
        raise InputError(
            f'`pairs` should name each pair once, but got {pairs!r}.')
