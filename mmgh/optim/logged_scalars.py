from __future__ import annotations

from itertools import combinations
from typing import Mapping, NamedTuple, Sequence

import torch
from torch import Tensor

from mmgh.gradients import cosines_of


class Compared(NamedTuple):
    """A group of tasks that were compared in a step."""

    tasks: Sequence[str]
    """Names of K tasks."""

    gramian: Tensor
    """Of their gradients, shape ``(K, K)``."""

    weights: Tensor
    """By which their gradients are summed, shape ``(K, )``."""

    scalars: Mapping[str, Tensor] = {}
    """What the harmonizer tells besides."""


def on_host(compared: Sequence[Compared]) -> list[Compared]:
    """Return what was compared on the CPU, after one transfer.

    The transfer waits for the device, and what follows from its numbers is
    computed in less time than the device takes to begin.
    """
    tensors = [
        tensor for group in compared
        for tensor in (group.gramian, group.weights, *group.scalars.values())
    ]
    values = torch.cat([tensor.flatten() for tensor in tensors]).cpu()
    parts = iter(values.split([tensor.numel() for tensor in tensors]))
    return [
        Compared(group.tasks,
                 next(parts).view_as(group.gramian), next(parts),
                 {name: next(parts).squeeze()
                  for name in group.scalars}) for group in compared
    ]


def logged_scalars(compared: Sequence[Compared]) -> dict[str, Tensor]:
    """Return what is logged of groups of tasks.

    Of each two tasks ``conflict`` (0 or 1), ``cosine``, ``angle`` (degrees)
    and ``norm_ratio``, the norm of the first gradient over that of the second
    (0 without one); of each task its weight and ``grad_norm``, the norm of its
    gradient; of each group ``opposed``, whether the weighted sum of the
    gradients has a negative product with one of them (0 or 1), and what the
    harmonizer tells. Where several are alike, their names end in the names of
    the tasks.

    Args:
        compared (Sequence[Compared]): The groups.

    Returns:
        dict[str, Tensor]: Scalars of the Gramians' type.
    """
    scalars = {}
    for tasks, gramian, weights, own in compared:
        group = '_' + '_'.join(tasks) if len(compared) > 1 else ''
        of_pairs = _of_pairs(gramian)
        for i, j in combinations(range(len(tasks)), 2):
            pair = f'_{tasks[i]}_{tasks[j]}' if len(tasks) > 2 else group
            scalars.update({
                f'{name}{pair}': values[i, j]
                for name, values in of_pairs.items()
            })
        norms = gramian.diagonal().sqrt()
        for task, weight, norm in zip(tasks, weights, norms):
            scalars[f'weight_{task}{group}'] = weight
            scalars[f'grad_norm_{task}{group}'] = norm
        scalars[f'opposed{group}'] = _is_opposed(gramian, weights)
        scalars.update({f'{name}{group}': own[name] for name in own})
    return scalars


def _of_pairs(gramian: Tensor) -> dict[str, Tensor]:
    """Return what is logged of each two tasks, shape ``(K, K)``: of all at
    once, as there are many pairs."""
    cosines = cosines_of(gramian)
    squares = gramian.diagonal()
    ratios = (squares[:, None] / squares).sqrt()
    return dict(
        conflict=(cosines < 0).to(cosines),
        cosine=cosines,
        angle=cosines.arccos().rad2deg(),
        norm_ratio=torch.where(squares > 0, ratios, 0.))


def _is_opposed(gramian: Tensor, weights: Tensor) -> Tensor:
    """Tell whether a step along the weighted sum lets a loss grow.

    By rounding a product of what is orthogonal, as after GH++, may be a
    little below 0.
    """
    products = gramian @ weights
    tolerance = 1e-4 * gramian.diagonal() * weights.abs()
    return (products < -tolerance).any().to(gramian)
