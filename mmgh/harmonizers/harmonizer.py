from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Sequence

from torch import Tensor

from mmgh.input_error import InputError


class Harmonizer(ABC):
    """Weighs the losses of tasks by the Gramian of their gradients.

    A subclass says how in :meth:`weigh`, and what it remembers from one step
    to the next in ``memory``. The optim wrapper has a copy of the harmonizer
    for each pair of tasks, and keeps its memory in the checkpoints.
    """

    num_tasks: int | None = None
    """How many tasks it takes. With 2, those of a model that names pairs are
    harmonized pair by pair. None: any number, all tasks at once."""

    max_weight: float | None = None
    """Bounds the size of each weight unless the optim wrapper is told
    otherwise. None: the number of tasks. Weights without a bound reach
    thousands where a gradient is short, as in a reversal warm-up."""

    min_weight: float | None = None
    """The least weight that it gives; None where there is no such bound. If
    it is 1, so that gradients are only lengthened, the optim wrapper refuses
    ``max_weight=1``, which would turn it off."""

    apply_to: str = 'loss'
    """Whether the weights are for whole losses or, ``'shared'``, for the
    parameters that tasks share, unless the optim wrapper is told otherwise."""

    memory: Sequence[str] = ()
    """Names of its attributes, tensors or numbers, also in lists and dicts,
    that are remembered."""

    def prepare(self, tasks: Sequence[str]) -> None:
        """Learn the names of the tasks, in their order, before the first step.

        Args:
            tasks (Sequence[str]): K of them.
        """

    def __call__(self, gramian: Tensor) -> Tensor:
        """Weigh the tasks.

        Args:
            gramian (Tensor): Inner products of the task gradients, shape
                ``(K, K)``, any floating-point type.

        Returns:
            Tensor: Weights of the losses, shape ``(K, )``, without gradient
            and not yet bounded.

        Raises:
            ValueError: If the Gramian has another shape.
        """
        is_square = (
            gramian.dim() == 2 and gramian.shape[0] == gramian.shape[1] >= 2)
        if not is_square or self.num_tasks not in (None, len(gramian)):
            wanted = (
                '(K, K), K >= 2' if self.num_tasks is None else
                f'({self.num_tasks}, {self.num_tasks})')
            raise InputError(f'`gramian` should have the shape {wanted}, but '
                             f'got {tuple(gramian.shape)}.')
        return self.weigh(gramian.detach())

    @abstractmethod
    def weigh(self, gramian: Tensor) -> Tensor:
        """Return the weights of the losses, shape ``(K, )``.

        Where one of them is not finite the optim wrapper takes 1 for all.

        Args:
            gramian (Tensor): Shape ``(K, K)``, without gradient. Under
                automatic mixed precision it may not be finite: a memory should
                not take that in.
        """

    def scalars(self) -> dict[str, Tensor]:
        """Return what is logged of the last step, besides the weights: scalars
        or numbers."""
        return {}

    def state_dict(self) -> dict:
        """Return the memory by name; empty if there is none."""
        return {name: getattr(self, name) for name in self.memory}

    def load_state_dict(self, state_dict: dict) -> None:
        """Take over the memory of a harmonizer of this type."""
        missing = sorted(set(self.memory) - set(state_dict))
        if missing:
            raise InputError(f'The memory of {type(self).__name__} in the '
                             f'checkpoint should have {sorted(self.memory)}, '
                             f'but lacks {missing}.')
        for name in self.memory:
            setattr(self, name, state_dict[name])
