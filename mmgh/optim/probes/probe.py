from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Callable, List, Optional, Sequence, Tuple

from torch import Tensor, nn
from torch.distributed.fsdp import FullyShardedDataParallel

from mmgh.unwrap import unwrap
from ..task_gradients import TaskGradient

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
    def backward(self, loss: Tensor, tasks: list[str], weigh: Weigh,
                 parameters: list[Tensor], retain_graph: bool,
                 is_last: bool) -> None:
        """Leave the harmonized gradient in the ``grad`` fields.

        Args:
            loss (Tensor): Scalar that carries its task losses.
            tasks (list[str]): Names of those that are compared.
            weigh (Weigh): Gives the weights of these tasks.
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


class NamedParameters:
    """Parameters of the modules that ``shared`` names.

    Args:
        names (Sequence[str]): Of modules or parameters.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = list(names)
        self._parameters: list[Tensor] = []

    def find(self, model: nn.Module) -> None:
        """Look them up, before the first step."""
        model = unwrap(model)
        found: dict[Tensor, None] = {}
        for name in self.names:
            matches = [
                parameter for key, parameter in model.named_parameters()
                if key == name or key.startswith(f'{name}.')
            ]
            if not matches:
                raise ValueError(
                    f'`shared` should name modules with parameters, but got '
                    f'{name!r}; the model has '
                    f'{sorted(name for name, _ in model.named_children())}.')
            found.update(dict.fromkeys(matches))
        self._parameters = [p for p in found if p.requires_grad]
        if not self._parameters:
            raise ValueError('`shared` should name modules that are trained, '
                             f'but {self.names} are frozen.')

    def get(self) -> list[Tensor]:
        """The trained ones."""
        if not self._parameters:
            raise RuntimeError('`initialize_count_status` should be called '
                               'with the model before the first step, since '
                               f'`shared` names parts of it: {self.names}.')
        return self._parameters

    def check_reached(self, tasks: Sequence[str],
                      gradients: Sequence[TaskGradient]) -> None:
        """Raise an error if none of them is reached by all tasks."""
        if not any(
                all(parameter in gradient for gradient in gradients)
                for parameter in self._parameters):
            raise ValueError('`shared` should name modules that the tasks '
                             f'{tuple(tasks)} all depend on, but got '
                             f'{self.names}.')
