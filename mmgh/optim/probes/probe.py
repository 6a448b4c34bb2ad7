from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Callable, List, Optional, Sequence, Tuple

from mmengine.model import is_model_wrapper
from torch import Tensor, nn
from torch.distributed.fsdp import FullyShardedDataParallel

# Weights of tasks that are harmonized with each other, one tuple a group.
TaskWeights = List[Tuple[Tuple[str, ...], Tensor]]
# From names of tasks, and what their gradients are to be divided by first, to
# their Gramian.
GramianOf = Callable[[Sequence[str], Optional[Tensor]], Tensor]
Weigh = Callable[[GramianOf], TaskWeights]


class Probe(ABC):
    """Compares the gradients of the tasks, and runs the backward passes.

    Args:
        shared (Sequence[str], optional): Names of modules or parameters.
        apply_to (str): ``'loss'`` or ``'shared'``.
    """

    reduces_gradients = False
    """Whether the gradients are averaged over ranks here, so that the model
    wrapper should not do so."""

    def __init__(self, shared: Sequence[str] | None, apply_to: str) -> None:
        self.shared = shared
        self.apply_to = apply_to

    def prepare(self, model: nn.Module) -> None:
        """Look at the model before the first step, and refuse what cannot
        work with it."""

    @abstractmethod
    def backward(self, loss: Tensor, weigh: Weigh, parameters: list[Tensor],
                 retain_graph: bool, is_last: bool) -> None:
        """Leave the harmonized gradient in the ``grad`` fields.

        Args:
            loss (Tensor): Scalar that carries its task losses.
            weigh (Weigh): Gives the weights of the tasks.
            parameters (list[Tensor]): All that are trained.
            retain_graph (bool): Whether to keep the graph in the end.
            is_last (bool): Whether this is the last micro-batch before a
                step.
        """

    def reset(self) -> None:
        """Forget what was accumulated for the next step."""


def product_by_task(groups: TaskWeights) -> dict[str, Tensor]:
    """A task in several groups gets the product of its weights."""
    product: dict[str, Tensor] = {}
    for tasks, weights in groups:
        for task, weight in zip(tasks, weights):
            product[task] = product.get(task, 1) * weight
    return product


def refuse_sharded(model: nn.Module, probe: str) -> None:
    """Raise an error where no rank has whole parameters."""
    if any(isinstance(m, FullyShardedDataParallel) for m in model.modules()):
        raise ValueError(
            f"`probe` should be 'features' under FSDP, where no rank has "
            f'whole parameters, but got {probe!r}.')


def find_parameters(model: nn.Module, names: Sequence[str]) -> list[Tensor]:
    """Trained parameters of the named modules (or the named parameters)."""
    model = model.module if is_model_wrapper(model) else model
    found: dict[Tensor, None] = {}
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
    trained = [p for p in found if p.requires_grad]
    if not trained:
        raise ValueError('`shared` should name modules that are trained, but '
                         f'{list(names)} are frozen.')
    return trained
