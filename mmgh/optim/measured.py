from __future__ import annotations

from functools import cached_property
from math import isfinite, nan
from typing import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from mmgh.gradients import all_finite
from .logged_scalars import Compared, logged_names, logged_values, on_host
from .probes import product_by_task


class Measured(Mapping[str, Tensor]):
    """What a comparison of the gradients of tasks has found.

    A mapping from names to scalars on the device of the gradients: of two
    tasks ``conflict`` (0 or 1), ``cosine``, ``angle`` (degrees),
    ``norm_ratio`` (gradient 1 over 2), ``grad_norm_<task>``,
    ``weight_<task>`` and ``opposed`` (1 where a step along the negative
    gradient lets the loss of a task grow), and what the harmonizer tells; of
    more tasks, see :func:`logged_scalars`. They are NaN where the gradient of
    a task is not finite. Nothing is computed before it is asked for.

    Args:
        groups (Sequence[Compared]): Of tasks that were harmonized with each
            other.
    """

    def __init__(self, groups: Sequence[Compared]) -> None:
        self.groups = groups

    @cached_property
    def weights(self) -> dict[str, Tensor]:
        """By which the gradient of each task was multiplied, scalars."""
        return product_by_task([(g.tasks, g.weights) for g in self.groups])

    def on_host(self) -> Measured:
        """Return the same on the CPU, after one transfer."""
        return Measured(on_host(self.groups))

    def floats(self) -> dict[str, float]:
        """Return all as Python's numbers, after one transfer."""
        return dict(
            zip(logged_names(self.groups), self.on_host()._values.tolist()))

    def diverged(self) -> list[str]:
        """Return the tasks whose gradients are not finite; it waits for the
        device, too."""
        return [
            task for group in self.groups
            for task, square in zip(group.tasks,
                                    group.gramian.diagonal().tolist())
            if not isfinite(square)
        ]

    def __getitem__(self, name: str) -> Tensor:
        return self._scalars[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._scalars)

    def __len__(self) -> int:
        return len(self._scalars)

    def __repr__(self) -> str:
        return f'{type(self).__name__}({self.floats()})'

    @cached_property
    def _scalars(self) -> dict[str, Tensor]:
        return dict(zip(logged_names(self.groups), self._values.unbind()))

    @cached_property
    def _values(self) -> Tensor:
        squares = torch.cat([g.gramian.diagonal() for g in self.groups])
        return torch.where(
            all_finite(squares), logged_values(self.groups), nan)
