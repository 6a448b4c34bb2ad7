from __future__ import annotations

from itertools import combinations
from typing import Mapping, NamedTuple, Sequence

import torch
from torch import Tensor

from mmgh.gradients import cosines_of

# Of more than two tasks there are many pairs: a line of the log, and a step
# of small layers, should not be full of what follows from other figures.
OF_TWO = ('conflict', 'angle', 'cosine', 'norm_ratio')
OF_EACH_TWO = OF_TWO[:2]


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

    Of two tasks ``conflict`` (0 or 1), ``angle`` (degrees), its ``cosine``,
    and ``norm_ratio``, the norm of the first gradient over that of the second
    (0 without one); of each two of more tasks ``conflict`` and ``angle``; of
    each task its weight and ``grad_norm``, the norm of its gradient; of each
    group ``opposed``, whether the weighted sum of the gradients has a negative
    product with one of them (0 or 1), and what the harmonizer tells. Where
    several are alike, their names end in the names of the tasks.

    Args:
        compared (Sequence[Compared]): The groups.

    Returns:
        dict[str, Tensor]: Scalars of the Gramians' type.
    """
    return dict(zip(logged_names(compared), logged_values(compared).unbind()))


def logged_names(compared: Sequence[Compared]) -> list[str]:
    """Return the names of :func:`logged_scalars`."""
    names = []
    for tasks, _, _, own in compared:
        group = '_' + '_'.join(tasks) if len(compared) > 1 else ''
        for first, second in combinations(tasks, 2):
            pair = f'_{first}_{second}' if len(tasks) > 2 else group
            names += [f'{name}{pair}' for name in _names_of_pairs(tasks)]
        for task in tasks:
            names += [f'weight_{task}{group}', f'grad_norm_{task}{group}']
        names += [f'{name}{group}' for name in ('opposed', *own)]
    return names


def logged_values(compared: Sequence[Compared]) -> Tensor:
    """Return the values of :func:`logged_scalars`, shape ``(N, )``: all in
    one tensor, as of many tasks there are many."""
    values = []
    for tasks, gramian, weights, own in compared:
        of_pairs = _of_pairs(gramian)[:, :len(_names_of_pairs(tasks))]
        values.append(of_pairs.flatten())
        norms = gramian.diagonal().sqrt()
        values.append(torch.stack([weights, norms], 1).flatten())
        values.append(_is_opposed(gramian, weights).view(1))
        values += [value.to(gramian).view(1) for value in own.values()]
    return torch.cat(values)


def _of_pairs(gramian: Tensor) -> Tensor:
    """Return ``OF_TWO`` of each two tasks, one pair a row."""
    first, second = torch.triu_indices(
        *gramian.shape, offset=1, device=gramian.device)
    cosines = cosines_of(gramian)[first, second]
    squares = gramian.diagonal()
    ratios = (squares[first] / squares[second]).sqrt()
    return torch.stack([
        (cosines < 0).to(cosines),
        cosines.arccos().rad2deg(), cosines,
        torch.where(squares[second] > 0, ratios, 0.)
    ], 1)


def _names_of_pairs(tasks: Sequence[str]) -> Sequence[str]:
    return OF_TWO if len(tasks) == 2 else OF_EACH_TWO


def _is_opposed(gramian: Tensor, weights: Tensor) -> Tensor:
    """Tell whether a step along the weighted sum lets a loss grow.

    By rounding a product of what is orthogonal, as after GH++, may be a
    little below 0.
    """
    products = gramian @ weights
    tolerance = 1e-4 * gramian.diagonal() * weights.abs()
    return (products < -tolerance).any().to(gramian)
