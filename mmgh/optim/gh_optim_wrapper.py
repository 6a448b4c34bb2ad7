from __future__ import annotations

from typing import Sequence

import torch
from mmengine.model import is_model_wrapper
from mmengine.optim import OptimWrapper
from torch import Tensor, nn

from mmgh.gramian import pair_cosine
from mmgh.registry import OPTIM_WRAPPERS, TASK_UTILS
from mmgh.task_losses import (attach_task_losses, check_task_losses,
                              require_task_losses)
from .task_gradients import (TaskGradient, add_gradient, add_to_grad_fields,
                             average_over_ranks, gramian, scale_gradient,
                             task_gradient)


@OPTIM_WRAPPERS.register_module()
class GHOptimWrapper(OptimWrapper):
    r"""Harmonizes the gradients of the tasks before each step.

    Where the stock wrapper runs one backward pass on the total loss, this one
    runs one per task and keeps the gradients. It weighs the tasks by the
    Gramian of these gradients over the shared parameters, and steps with the
    weighted sum, which is the gradient of the dynamically weighted loss
    :math:`\sum_i w_i L_i`. There is no further pass. Without conflict every
    weight is exactly 1, and the step is the stock wrapper's.

    The model marks its tasks, see :class:`mmgh.task_losses.TaskLossMixin`.

    Under data parallelism the task gradients are averaged over the ranks
    before they are compared, so the whole batch is harmonized. With gradient
    accumulation the accumulated task gradients are.

    ``train/conflict`` (0 or 1), ``train/cosine``, ``train/angle`` (degrees)
    and ``train/weight_<task>`` go to the message hub at each step, from where
    every visualisation backend gets them. With several ``pairs`` their names
    end in ``_<task 1>_<task 2>``.

    Args:
        harmonizer (dict | Callable): Config of a harmonizer, or any function
            from a ``(2, 2)`` Gramian to two weights.
        pairs (Sequence[Sequence[str]], optional): Names of tasks that are
            harmonized with each other, two by two. A task in several pairs
            gets the product of its weights. Defaults to None: the model has
            two tasks, and they are the pair.
        shared (Sequence[str], optional): Names of modules or parameters of
            the model, such as ``['backbone', 'neck']``, whose gradients are
            compared. Defaults to None: the parameters that both tasks of a
            pair reach.
        apply_to (str): ``'loss'`` weighs the whole gradient of a task, as in
            the published code. ``'shared'`` weighs it on the shared
            parameters only; a discriminator or a classifier keeps its
            unweighted gradient. Defaults to ``'loss'``.
        max_weight (float, optional): Bound on the size of each weight of a
            pair. GH's weight of a task is unbounded when its gradient is much
            shorter than the other's, as at the start of a reversal warm-up.
            Defaults to 10. None for no bound.
        **kwargs: Arguments of :class:`mmengine.optim.OptimWrapper`.

    Example:
        >>> optim_wrapper = dict(
        ...     type='mmgh.GHOptimWrapper',
        ...     harmonizer=dict(type='mmgh.GHPlusPlus'),
        ...     optimizer=dict(type='SGD', lr=0.01, momentum=0.9))
    """

    def __init__(self,
                 harmonizer: dict,
                 pairs: Sequence[Sequence[str]] | None = None,
                 shared: Sequence[str] | None = None,
                 apply_to: str = 'loss',
                 max_weight: float | None = 10.,
                 **kwargs) -> None:
        super().__init__(**kwargs)
        if pairs is not None and (not pairs or any(
                isinstance(pair, str) or len(set(pair)) != 2
                for pair in pairs)):
            raise ValueError('`pairs` should list pairs of two different '
                             f'tasks, but got {pairs!r}.')
        if shared is not None and (not shared or isinstance(shared, str)):
            raise ValueError('`shared` should list names of modules or '
                             f'parameters, but got {shared!r}.')
        if apply_to not in ('loss', 'shared'):
            raise ValueError("`apply_to` should be 'loss' or 'shared', but "
                             f'got {apply_to!r}.')
        if max_weight is not None and not (isinstance(
                max_weight, (int, float)) and max_weight >= 1):
            raise ValueError('`max_weight` should be a number of at least 1, '
                             'the weight without conflict, but got '
                             f'{max_weight!r}.')
        if isinstance(harmonizer, dict):
            harmonizer = TASK_UTILS.build(harmonizer)
        if not callable(harmonizer):
            raise TypeError('`harmonizer` should be a config such as '
                            "dict(type='mmgh.GH'), but got "
                            f'{harmonizer!r}.')
        self.harmonizer = harmonizer
        self.pairs = pairs
        self.shared = shared
        self.apply_to = apply_to
        self.max_weight = max_weight
        self._checked_sum = False
        self._named_shared: list[Tensor] | None = None
        self._task_gradients: dict[str, TaskGradient] = {}

    def initialize_count_status(self, model: nn.Module, init_counts: int,
                                max_counts: int) -> None:
        """As in the parent; the names in ``shared`` are looked up here."""
        super().initialize_count_status(model, init_counts, max_counts)
        if self.shared is not None:
            model = model.module if is_model_wrapper(model) else model
            self._named_shared = _find_parameters(model, self.shared)

    def should_sync(self) -> bool:
        """Never by the model wrapper: the task gradients are averaged here,
        each on its own, before they are combined."""
        return False

    def scale_loss(self, loss: Tensor) -> Tensor:
        """As in the parent; the task losses are scaled alike."""
        scale = super().scale_loss
        task_losses = require_task_losses(loss)
        return attach_task_losses(
            scale(loss), {name: scale(part)
                          for name, part in task_losses.items()})

    def backward(self, loss: Tensor, retain_graph: bool = False) -> None:
        """Run a backward pass per task; harmonize if a step is due.

        Args:
            loss (Tensor): Scalar that carries its task losses.
            retain_graph (bool): Whether to keep the graph after the last
                pass. Defaults to False.
        """
        task_losses = require_task_losses(loss)
        if not self._checked_sum:
            check_task_losses(loss, task_losses)
            self._checked_sum = True
        parameters = self._parameters()
        for i, (name, task_loss) in enumerate(task_losses.items(), start=1):
            add_gradient(
                self._task_gradients.setdefault(name, {}),
                task_gradient(task_loss, parameters, retain_graph
                              or i < len(task_losses)))
        self._inner_count += 1
        if self.should_update():
            self._harmonize()

    def zero_grad(self, **kwargs) -> None:
        """As in the parent; task gradients not yet stepped with go too."""
        self._task_gradients = {}
        super().zero_grad(**kwargs)

    def _parameters(self) -> list[Tensor]:
        return [
            parameter for group in self.optimizer.param_groups
            for parameter in group['params'] if parameter.requires_grad
        ]

    def _harmonize(self) -> None:
        """Turn the accumulated task gradients into one gradient."""
        gradients, self._task_gradients = self._task_gradients, {}
        parameters = self._parameters()
        average_over_ranks(gradients.values(), parameters)
        # Weights first: scaling changes what another pair would compare.
        weighted = []
        pairs = self._pairs_of(gradients)
        for pair in pairs:
            shared = self._shared_parameters(gradients, pair)
            products = gramian([gradients[task] for task in pair], shared)
            weights = self._weigh(products)
            self._log(products, dict(zip(pair, weights)),
                      suffix='_' + '_'.join(pair) if len(pairs) > 1 else '')
            scope = shared if self.apply_to == 'shared' else parameters
            weighted.append((pair, weights, scope))
        for pair, weights, scope in weighted:
            for task, weight in zip(pair, weights):
                scale_gradient(gradients[task], weight, scope)
        add_to_grad_fields(gradients.values())

    def _pairs_of(self, gradients: dict) -> Sequence[Sequence[str]]:
        pairs = [tuple(gradients)] if self.pairs is None else self.pairs
        if self.pairs is None and len(gradients) != 2:
            raise ValueError(
                '`pairs` should name the tasks to harmonize unless the model '
                f'has exactly two, but it has {sorted(gradients)}.')
        unknown = {task for pair in pairs for task in pair} - set(gradients)
        if unknown:
            raise ValueError(f'`pairs` should name tasks of the model, which '
                             f'are {sorted(gradients)}, but got '
                             f'{sorted(unknown)}.')
        return pairs

    def _shared_parameters(self, gradients: dict[str, TaskGradient],
                           pair: Sequence[str]) -> list[Tensor]:
        if self._named_shared is not None:
            return self._named_shared
        if self.shared is not None:
            raise RuntimeError('`initialize_count_status` should be called '
                               'with the model before the first step, since '
                               f'`shared` names parts of it: {self.shared}.')
        first, second = (gradients[task] for task in pair)
        shared = [parameter for parameter in first if parameter in second]
        if not shared:
            raise RuntimeError(f'The tasks {tuple(pair)} should share trained '
                               'parameters to be harmonized, but no parameter '
                               'is reached by both.')
        return shared

    def _weigh(self, products: Tensor) -> Tensor:
        """Weights of a pair of tasks, shape ``(2, )``, by its Gramian."""
        weights = self.harmonizer(products)
        if self.max_weight is not None:
            weights = weights.clamp(-self.max_weight, self.max_weight)
        return weights

    def _log(self, products: Tensor, weights: dict[str, Tensor],
             suffix: str) -> None:
        cosine = pair_cosine(products)
        scalars = dict(
            conflict=(cosine < 0).to(cosine),
            cosine=cosine,
            angle=cosine.arccos().rad2deg(),
            **{f'weight_{task}': weight
               for task, weight in weights.items()})
        # One transfer from the device for all of them.
        values = torch.stack(list(scalars.values())).tolist()
        for name, value in zip(scalars, values):
            self.message_hub.update_scalar(f'train/{name}{suffix}', value)


def _find_parameters(model: nn.Module, names: Sequence[str]) -> list[Tensor]:
    """Parameters of the named modules (or the named parameters)."""
    found = {}
    for name in names:
        matches = [
            parameter for key, parameter in model.named_parameters()
            if key == name or key.startswith(f'{name}.')
        ]
        if not matches:
            raise ValueError(
                f'`shared` should name modules with parameters, but got '
                f'{name!r}; the model has '
                f'{sorted(child for child, _ in model.named_children())}.')
        found.update(dict.fromkeys(matches))
    return list(found)
