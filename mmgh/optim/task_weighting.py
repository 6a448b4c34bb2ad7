from __future__ import annotations

from itertools import combinations
from typing import Callable, Collection, List, Sequence, Tuple

import torch
from torch import Tensor

from mmgh.gramian import pair_cosine, sub_gramian
from mmgh.registry import TASK_UTILS

Harmonizer = Callable[[Tensor], Tensor]
# Tasks that are harmonized with each other, and by what.
Groups = List[Tuple[Tuple[str, ...], Harmonizer]]


class TaskWeighting:
    """Which tasks are harmonized with each other, by what, and how far.

    Args:
        harmonizer (dict | Callable | Sequence): Of all pairs, or one a pair.
        pairs (Sequence[Sequence[str]], optional): Names of tasks, two by two.
            None: all tasks of the model together.
        max_weight (float, optional): Bound on the size of a weight. None:
            that of the harmonizer, if it has one.
    """

    def __init__(self, harmonizer: dict | Harmonizer | Sequence,
                 pairs: Sequence[Sequence[str]] | None,
                 max_weight: float | None) -> None:
        if pairs is not None and (not pairs or any(
                isinstance(pair, str) or len(set(pair)) != 2
                for pair in pairs)):
            raise ValueError('`pairs` should list pairs of two different '
                             f'tasks, but got {pairs!r}.')
        if pairs is not None and len(set(map(frozenset, pairs))) < len(pairs):
            raise ValueError('`pairs` should name each pair once, but got '
                             f'{pairs!r}.')
        if max_weight is not None and not (isinstance(
                max_weight, (int, float)) and max_weight >= 1):
            raise ValueError('`max_weight` should be a number of at least 1, '
                             'the weight without conflict, but got '
                             f'{max_weight!r}.')
        self.pairs = pairs
        self.max_weight = max_weight
        self.harmonizers = _build_harmonizers(harmonizer, pairs)

    def groups(self, tasks: Collection[str]) -> Groups:
        """Tasks that are harmonized with each other, and by what.

        Raises:
            ValueError: If ``pairs`` do not fit the tasks of the model.
        """
        if self.pairs is None:
            limit = getattr(self.harmonizers[0], 'num_tasks', None)
            if len(tasks) < 2 or limit not in (None, len(tasks)):
                raise ValueError(
                    '`pairs` should name the tasks to harmonize unless the '
                    f'model has exactly two, but it has {sorted(tasks)}.')
            return [(tuple(tasks), self.harmonizers[0])]
        unknown = {task for pair in self.pairs for task in pair} - set(tasks)
        if unknown:
            raise ValueError(f'`pairs` should name tasks of the model, which '
                             f'are {sorted(tasks)}, but got '
                             f'{sorted(unknown)}.')
        return list(zip(map(tuple, self.pairs), self.harmonizers))

    def weights(self, harmonizer: Harmonizer, gramian: Tensor) -> Tensor:
        """Weights of K tasks, shape ``(K, )``; 1 if they, or the Gramian, are
        not finite."""
        weights = harmonizer(gramian).to(gramian)
        if weights.shape != gramian.shape[:1]:
            raise ValueError(
                f'`harmonizer` should return {len(gramian)} weights, but '
                f'{harmonizer!r} returned the shape {tuple(weights.shape)}.')
        bound = self.max_weight
        if bound is None:
            bound = getattr(harmonizer, 'max_weight', None)
        if bound is not None:
            weights = weights.clamp(-bound, bound)
        finite = gramian.isfinite().all() & weights.isfinite().all()
        return torch.where(finite, weights, torch.ones_like(weights))


def describe(
        compared: Sequence[tuple[Sequence[str], Tensor,
                                 Tensor]]) -> dict[str, Tensor]:
    """What is logged of groups of tasks.

    ``conflict`` (0 or 1), ``cosine`` and ``angle`` (degrees) of each two tasks
    and the weight of each task. Where several are alike, their names end in
    the names of the tasks.

    Args:
        compared (Sequence[tuple]): Names, Gramian and weights of each group.

    Returns:
        dict[str, Tensor]: Scalars of the Gramians' type.
    """
    scalars = {}
    for tasks, gramian, weights in compared:
        group = '_' + '_'.join(tasks) if len(compared) > 1 else ''
        for i, j in combinations(range(len(tasks)), 2):
            pair = f'_{tasks[i]}_{tasks[j]}' if len(tasks) > 2 else group
            cosine = pair_cosine(sub_gramian(gramian, [i, j]))
            scalars[f'conflict{pair}'] = (cosine < 0).to(cosine)
            scalars[f'cosine{pair}'] = cosine
            scalars[f'angle{pair}'] = cosine.arccos().rad2deg()
        for task, weight in zip(tasks, weights):
            scalars[f'weight_{task}{group}'] = weight
    return scalars


def _build_harmonizers(harmonizer: dict | Harmonizer | Sequence,
                       pairs: Sequence | None) -> list[Harmonizer]:
    """One for each pair."""
    count = 1 if pairs is None else len(pairs)
    if not isinstance(harmonizer, (list, tuple)):
        return [_build_harmonizer(harmonizer)] * count
    if pairs is None or len(harmonizer) != count:
        raise ValueError('`harmonizer` should be one for all, or a list with '
                         f'one for each of the `pairs` {pairs!r}, but got '
                         f'{harmonizer!r}.')
    return [_build_harmonizer(one) for one in harmonizer]


def _build_harmonizer(harmonizer: dict | Harmonizer) -> Harmonizer:
    if isinstance(harmonizer, dict):
        harmonizer = TASK_UTILS.build(harmonizer)
    if not callable(harmonizer):
        raise TypeError('`harmonizer` should be a config such as '
                        "dict(type='mmgh.GH'), but got "
                        f'{harmonizer!r}.')
    return harmonizer
