from __future__ import annotations

import logging
from copy import deepcopy
from typing import Callable, Collection, Sequence

import torch
from mmengine.logging import print_log
from torch import Tensor

from mmgh.registry import TASK_UTILS
from mmgh.task_losses import Pairs, check_pairs

Harmonizer = Callable[[Tensor], Tensor]
Group = tuple[str, ...]
# Tasks that are harmonized with each other, and by what.
Groups = list[tuple[Group, Harmonizer]]


class TaskWeighting:
    """Which tasks are harmonized with each other, by what, and how far.

    Args:
        harmonizer (dict | Callable | Sequence): Of all pairs, or one a pair.
        pairs (Sequence[Sequence[str]], optional): Names of tasks, two by two.
            None: those of the model.
        max_weight (float, optional): Bound on the size of a weight. None:
            that of the harmonizer.
    """

    def __init__(self, harmonizer: dict | Harmonizer | Sequence,
                 pairs: Sequence[Sequence[str]] | None,
                 max_weight: float | None) -> None:
        if pairs is not None:
            check_pairs(pairs)
        if max_weight is not None and not (isinstance(
                max_weight, (int, float)) and max_weight >= 1):
            raise ValueError('`max_weight` should be a number of at least 1, '
                             'the weight without conflict, but got '
                             f'{max_weight!r}.')
        self.pairs = pairs
        self.max_weight = max_weight
        self._is_list = isinstance(harmonizer, (list, tuple))
        if not self._is_list:
            harmonizer = [harmonizer]
        # A harmonizer may have a memory: each group gets one of its own.
        self.harmonizers = [_build_harmonizer(one) for one in harmonizer]
        self._is_for_pairs = self._is_list or self._num_tasks == 2
        if pairs is not None:
            self._check_count(pairs)
        self._copies: dict[Group, Harmonizer] = {}
        # Of a checkpoint, for harmonizers that are not there yet.
        self._memories: dict[str, dict] = {}

    def groups(self, tasks: Collection[str], pairs: Pairs | None) -> Groups:
        """Return which tasks are harmonized with each other, and by what.

        Args:
            tasks (Collection[str]): Those of the model.
            pairs (Sequence[tuple[str, str]], optional): What the model says,
                which counts unless the user said something.

        Raises:
            ValueError: If the pairs do not fit the tasks.
        """
        used = self.pairs or (pairs if self._is_for_pairs else None)
        self._check_count(used)
        groups = (
            _check_names(used, tasks)
            if used else [self._all_at_once(tasks, pairs)])
        return [(group, self._copy(i, group))
                for i, group in enumerate(groups)]

    def weights(self, harmonizer: Harmonizer, gramian: Tensor) -> Tensor:
        """Return the bounded weights of K tasks, shape ``(K, )``; 1 if they,
        or the Gramian, are not finite."""
        weights = harmonizer(gramian).to(gramian)
        if weights.shape != gramian.shape[:1]:
            raise ValueError(
                f'`harmonizer` should return {len(gramian)} weights, but '
                f'{harmonizer!r} returned the shape {tuple(weights.shape)}.')
        bound = self.max_weight
        if bound is None:
            bound = getattr(harmonizer, 'max_weight', None)
        if bound is None:
            bound = len(gramian)
        weights = weights.clamp(-bound, bound)
        finite = gramian.isfinite().all() & weights.isfinite().all()
        return torch.where(finite, weights, torch.ones_like(weights))

    def state_dict(self) -> dict[str, dict]:
        """Return the memories of harmonizers by the names of their tasks."""
        memories = {
            ' '.join(group): dict(type=type(harmonizer).__name__, memory=state)
            for group, harmonizer in self._copies.items()
            if (state := getattr(harmonizer, 'state_dict', dict)())
        }
        return {**self._memories, **memories}

    def load_state_dict(self, state_dict: dict[str, dict]) -> None:
        """Take over memories, as soon as their tasks are harmonized."""
        self._copies = {}
        self._memories = dict(state_dict)

    @property
    def apply_to(self) -> str:
        """What the harmonizers are made for, see :class:`GHOptimWrapper`."""
        return getattr(self.harmonizers[0], 'apply_to', 'loss')

    @property
    def _num_tasks(self) -> int | None:
        return getattr(self.harmonizers[0], 'num_tasks', None)

    def _all_at_once(self, tasks: Collection[str],
                     pairs: Pairs | None) -> Group:
        """Return all tasks, in the order in which the pairs name them."""
        if len(tasks) < 2 or self._num_tasks not in (None, len(tasks)):
            raise ValueError(
                '`pairs` should name the tasks to harmonize unless the model '
                f'has exactly two, but it has {sorted(tasks)}.')
        named = [task for pair in pairs or () for task in pair]
        return tuple(
            dict.fromkeys([*(t for t in named if t in tasks), *tasks]))

    def _check_count(self, pairs: Sequence | None) -> None:
        wanted = len(pairs or ()) or None
        if self._is_list and len(self.harmonizers) != wanted:
            raise ValueError(
                '`harmonizer` should be one for all, or a list with one for '
                f'each of the `pairs` {pairs!r}, but got {self.harmonizers}.')

    def _copy(self, index: int, group: Group) -> Harmonizer:
        if group not in self._copies:
            harmonizer = self.harmonizers[index if self._is_list else 0]
            harmonizer = self._copies[group] = deepcopy(harmonizer)
            getattr(harmonizer, 'prepare', _ignore)(group)
            saved = self._memories.pop(' '.join(group), None)
            if saved and saved['type'] == type(harmonizer).__name__:
                harmonizer.load_state_dict(saved['memory'])
            elif saved:
                print_log(
                    f"The memory of {saved['type']} in the checkpoint is left "
                    f'out: the harmonizer is {harmonizer!r} now.',
                    'current', logging.WARNING)
        return self._copies[group]


def _ignore(tasks: Group) -> None:
    """Stand in for what a plain function does not have."""


def _check_names(pairs: Pairs, tasks: Collection[str]) -> list[Group]:
    unknown = {task for pair in pairs for task in pair} - set(tasks)
    if unknown:
        raise ValueError(f'`pairs` should name tasks of the model, which are '
                         f'{sorted(tasks)}, but got {sorted(unknown)}.')
    return [tuple(pair) for pair in pairs]


def _build_harmonizer(harmonizer: dict | Harmonizer) -> Harmonizer:
    if isinstance(harmonizer, dict):
        harmonizer = TASK_UTILS.build(harmonizer)
    if not callable(harmonizer):
        raise TypeError('`harmonizer` should be a config such as '
                        "dict(type='mmgh.GH'), but got "
                        f'{harmonizer!r}.')
    return harmonizer
