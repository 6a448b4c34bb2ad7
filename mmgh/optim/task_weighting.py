from __future__ import annotations

import logging
from copy import deepcopy
from typing import Callable, Collection, Sequence

import torch
from mmengine.logging import print_log
from torch import Tensor

from mmgh.arguments import number
from mmgh.gradients import all_finite
from mmgh.input_error import InputError, InputTypeError
from mmgh.registry import TASK_UTILS
from mmgh.task_losses import Pairs, check_pairs

# A harmonizer, or any function like one.
Weigh = Callable[[Tensor], Tensor]
Group = tuple[str, ...]
# Tasks that are harmonized with each other, and by what.
Groups = list[tuple[Group, Weigh]]

_TASKS = '_mmgh_tasks'


class TaskWeighting:
    """Which tasks are harmonized with each other, by what, and how far.

    Args:
        harmonizer (dict | Callable | Sequence): Of all pairs, or one a pair.
        pairs (Sequence[Sequence[str]], optional): Names of tasks, two by two.
            None: those of the model.
        max_weight (float, optional): Bound on the size of a weight. None:
            that of the harmonizer.
        keeps_memories (bool): Whether the memories of harmonizers are here,
            in a copy for each pair. If not, they are in the objects
            themselves, which the caller keeps. Defaults to True.
    """

    def __init__(self,
                 harmonizer: dict | Weigh | Sequence,
                 pairs: Sequence[Sequence[str]] | None,
                 max_weight: float | None,
                 keeps_memories: bool = True) -> None:
        if pairs is not None:
            check_pairs(pairs)
        number(
            at_least=1,
            or_infinite=True,
            since='1 is the weight without conflict').or_none().check(
                max_weight=max_weight)
        self.pairs = pairs
        self.max_weight = max_weight
        self._keeps_memories = keeps_memories
        self._is_list = isinstance(harmonizer, (list, tuple))
        if not self._is_list:
            harmonizer = [harmonizer]
        if not harmonizer:
            raise InputError('`harmonizer` should be one for all, or a list '
                             'with one for each of the `pairs` '
                             f'{pairs!r}, but got {harmonizer!r}.')
        # A harmonizer may have a memory: each group gets one of its own.
        self.harmonizers = [_build_harmonizer(one) for one in harmonizer]
        self._refuse_to_undo(max_weight)
        self._is_for_pairs = self._is_list or self._num_tasks == 2
        if pairs is not None:
            self._check_count(pairs)
        self._copies: dict[Group, Weigh] = {}
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
        copies = [(group, self._copy(i, group))
                  for i, group in enumerate(groups)]
        self._warn_of_unused_memories()
        return copies

    def weights(self, harmonizer: Weigh, gramian: Tensor) -> Tensor:
        """Return the bounded weights of K tasks, shape ``(K, )``; 1 if they,
        or the Gramian, are not finite."""
        # It may compute in place.
        weights = harmonizer(gramian.clone())
        if not isinstance(weights, Tensor) or (weights.shape !=
                                               gramian.shape[:1]):
            found = (
                f'the shape {tuple(weights.shape)}'
                if isinstance(weights, Tensor) else repr(weights))
            raise InputError(
                f'`harmonizer` should return {len(gramian)} weights as a '
                f'tensor, but {_name_of(harmonizer)} returned {found}.')
        weights = weights.to(gramian)
        bound = self.max_weight
        if bound is None:
            bound = getattr(harmonizer, 'max_weight', None)
        if bound is None:
            bound = len(gramian)
        finite = all_finite(gramian) & all_finite(weights)
        return torch.where(finite, weights.clamp(-bound, bound), 1.)

    def state_dict(self) -> dict[str, dict]:
        """Return the memories of harmonizers by the names of their tasks."""
        memories = {
            ' '.join(group): dict(type=_name_of(harmonizer), memory=state)
            for group, harmonizer in self._copies.items()
            if (state := memory_of(harmonizer))
        }
        return {**self._memories, **memories}

    def load_state_dict(self, state_dict: dict[str, dict]) -> None:
        """Take over memories, as soon as their tasks are harmonized."""
        self._copies = {}
        self._memories = dict(state_dict)

    @property
    def apply_to(self) -> str:
        """What the harmonizers are made for, see :class:`GHOptimWrapper`.

        Raises:
            ValueError: If they are made for different ones.
        """
        made_for = [getattr(one, 'apply_to', 'loss')
                    for one in self.harmonizers]
        if len(set(made_for)) > 1:
            names = [_name_of(one) for one in self.harmonizers]
            raise InputError(
                "`apply_to` should be 'loss' or 'shared' for all of "
                f'{names}, which are made for {made_for}, but got None.')
        return made_for[0]

    @property
    def _num_tasks(self) -> int | None:
        return getattr(self.harmonizers[0], 'num_tasks', None)

    def _refuse_to_undo(self, max_weight: float | None) -> None:
        """Refuse a bound that leaves all weights of a harmonizer the same."""
        for harmonizer in self.harmonizers:
            least = getattr(harmonizer, 'min_weight', None)
            if None not in (least, max_weight):
                number(
                    above=least,
                    or_infinite=True,
                    since=f'{_name_of(harmonizer)} gives none below {least}'
                ).check(max_weight=max_weight)

    def _all_at_once(self, tasks: Collection[str],
                     pairs: Pairs | None) -> Group:
        """Return all tasks, in the order in which the pairs name them."""
        if len(tasks) < 2 or self._num_tasks not in (None, len(tasks)):
            raise InputError(
                '`pairs` should name the tasks to harmonize unless the model '
                f'has exactly two, but it has {sorted(tasks)}.')
        named = [task for pair in pairs or () for task in pair]
        return tuple(
            dict.fromkeys([*(t for t in named if t in tasks), *tasks]))

    def _check_count(self, pairs: Sequence | None) -> None:
        if self._is_list and len(self.harmonizers) != len(pairs or ()):
            raise InputError(
                '`harmonizer` should be one for all, or a list with one for '
                f'each of the `pairs` {pairs!r}, but got {self.harmonizers}.')

    def _copy(self, index: int, group: Group) -> Weigh:
        if group not in self._copies:
            harmonizer = self.harmonizers[index if self._is_list else 0]
            if self._keeps_memories:
                harmonizer = deepcopy(harmonizer)
            self._copies[group] = harmonizer
            _prepare(harmonizer, group)
            saved = self._memories.get(' '.join(group))
            if saved and saved['type'] == _name_of(harmonizer):
                del self._memories[' '.join(group)]
                harmonizer.load_state_dict(saved['memory'])
        return self._copies[group]

    def _warn_of_unused_memories(self) -> None:
        for tasks, saved in self._memories.items():
            print_log(
                f"The memory of {saved['type']} for the tasks {tasks!r} in "
                'the checkpoint is not used: it is of another harmonizer, or '
                'other tasks. This one begins anew.', 'current',
                logging.WARNING)
        self._memories = {}


def _name_of(harmonizer: Weigh) -> str:
    """Return what tells a harmonizer from others, without its options."""
    kind = getattr(harmonizer, '__name__', type(harmonizer).__name__)
    method = getattr(harmonizer, 'name', None)
    return kind if method is None else f'{kind} {method}'


def _prepare(harmonizer: Weigh, tasks: Group) -> None:
    """Tell a harmonizer its tasks, once, since it may begin its memory then.

    Raises:
        ValueError: If it remembers other tasks.
    """
    if not hasattr(harmonizer, 'prepare'):  # a plain function
        return
    known = getattr(harmonizer, _TASKS, None)
    if known not in (None, tasks) and memory_of(harmonizer):
        raise InputError(
            f'`harmonizer` should be one of its own for the tasks {tasks}, '
            f'but this {_name_of(harmonizer)} has the memory of {known}.')
    if known != tasks:
        harmonizer.prepare(tasks)
        setattr(harmonizer, _TASKS, tasks)


def memory_of(harmonizer: Weigh) -> dict:
    """Return what a harmonizer remembers, by name; empty if nothing."""
    return getattr(harmonizer, 'state_dict', dict)()


def _check_names(pairs: Pairs, tasks: Collection[str]) -> list[Group]:
    unknown = {task for pair in pairs for task in pair} - set(tasks)
    if unknown:
        raise InputError(f'`pairs` should name tasks of the model, which are '
                         f'{sorted(tasks)}, but got {sorted(unknown)}.')
    return [tuple(pair) for pair in pairs]


def _build_harmonizer(harmonizer: dict | Weigh) -> Weigh:
    if isinstance(harmonizer, dict):
        harmonizer = TASK_UTILS.build(harmonizer)
    if not callable(harmonizer) or isinstance(harmonizer, type):
        raise InputTypeError('`harmonizer` should be a config such as '
                             "dict(type='mmgh.GH'), but got "
                             f'{harmonizer!r}.')
    memory = getattr(harmonizer, 'memory', ())
    if isinstance(memory, str) or not all(
            hasattr(harmonizer, name) for name in memory):
        raise InputError(f'`memory` of {_name_of(harmonizer)} should list '
                         f'names of its attributes, but got {memory!r}.')
    return harmonizer
