from __future__ import annotations

import logging
from difflib import get_close_matches
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Any, Callable, Mapping

import torch
from mmengine.logging import print_log
from mmengine.model import BaseModel
from torch import Tensor, nn

from mmgh.arguments import NAME, Rule
from mmgh.input_error import InputError, InputTypeError
from mmgh.registry import MODELS
from .captured_outputs import captured_outputs
from .late_base import LateBase, with_base
from .marked_loss import Pairs, check_pairs
from .task_loss_mixin import TaskLossMixin

_TASKS = Rule(
    "a dict of tasks by pattern, such as {'decode.*': 'main'}",
    lambda value: isinstance(value, Mapping) and all(
        isinstance(name, str) for item in value.items() for name in item),
    lambda value: len(value) and all(map(all, value.items())))


@MODELS.register_module()
class TaskMarked(LateBase):
    """Mark the losses of any registered model of any MMEngine package.

    What it builds is the model itself, of a class that is derived from the
    model's: ``state_dict``, preprocessor, initialisation, modes of
    ``forward`` and attributes are the model's own. So checkpoints of the plain
    and of the marked model are the same, and tools that predict with one may
    have the config of the plain model.

    Args:
        model (dict | nn.Module): Config of a model with several losses, or
            the model, which is changed in place.
        tasks (dict[str, str]): Task of each loss, by a pattern that its name
            matches: ``*`` is anything, ``?`` one character. Every loss has to
            match exactly one pattern. One that no loss of the first iteration
            matches is told by a warning.
        pairs (Sequence[tuple[str, str]], optional): Which tasks are
            harmonized with each other unless the optim wrapper says
            otherwise, task 1 first. Defaults to None: all together, or, for
            a harmonizer of two, both that there are.
        features (str, optional): Name of the module whose outputs the tasks
            share, such as ``'backbone'`` or ``'neck'``, with dots if it is
            within another: the optim wrapper with ``probe='features'``
            compares gradients there. Where it runs several times in an
            iteration, all its outputs count. With ``torch.compile`` the model
            is not compiled then. Defaults to None: nowhere.
        data_preprocessor (dict | nn.Module, optional): Of the model, where a
            config has it beside the model. Defaults to None.

    Raises:
        ValueError: If the model marks its losses already, or a task or a
            module is not there.

    Example:
        >>> model = dict(
        ...     type='mmgh.TaskMarked',
        ...     model=dict(
        ...         type='DenseCL',
        ...         backbone=dict(type='ResNet', depth=18),
        ...         neck=dict(
        ...             type='DenseCLNeck',
        ...             in_channels=512,
        ...             hid_channels=512,
        ...             out_channels=128),
        ...         head=dict(
        ...             type='ContrastiveHead',
        ...             loss=dict(type='CrossEntropyLoss'))),
        ...     tasks={'*_single': 'global', '*_dense': 'dense'},
        ...     features='backbone')
    """

    # Not what a base may have of these names.
    tasks: Mapping[str, str] = MappingProxyType({})
    pairs: Pairs | None = None
    factors: Mapping[str, Tensor] = MappingProxyType({})

    def __new__(cls,
                model: dict | nn.Module,
                tasks: Mapping[str, str],
                pairs: Pairs | None = None,
                features: str | None = None,
                data_preprocessor: dict | nn.Module | None = None
                ) -> nn.Module:
        """Build the model, and make it one of a derived class."""
        _TASKS.check(tasks=tasks)
        NAME.or_none().check(features=features)
        _check_pairs(pairs, tasks)
        if isinstance(model, Mapping):
            model = _build(model, data_preprocessor)
        _check_model(model)
        if features is not None:
            _check_module(model, features)
        model.__class__ = with_base(cls, type(model))
        return model

    def __init__(self,
                 model: dict | nn.Module,
                 tasks: Mapping[str, str],
                 pairs: Pairs | None = None,
                 features: str | None = None,
                 data_preprocessor: dict | nn.Module | None = None) -> None:
        # The model itself is initialised already.
        self.tasks = dict(tasks)
        self.pairs = pairs
        self.shared_module = features
        self._has_told = False

    def forward(self, *args, **kwargs) -> Any:
        """Do as the model; note the shared features of losses."""
        mode = kwargs.get('mode', args[-1] if args else None)
        is_loss = isinstance(mode, str) and mode == 'loss'
        if self.shared_module is None or not is_loss:
            return super().forward(*args, **kwargs)
        return self._losses_with_features(super().forward, *args, **kwargs)

    @torch.compiler.disable
    def _losses_with_features(self, forward: Callable[..., dict], *args,
                              **kwargs) -> dict:
        with captured_outputs(self, self.shared_module) as features:
            losses = forward(*args, **kwargs)
        return self.losses_at(features, lambda _: losses)

    def parse_losses(self, losses: dict) -> tuple[Tensor, dict]:
        """Sum the losses as the model does, and attach them by task."""
        if not self._has_told:
            self._tell_unmatched(losses)
            self._has_told = True
        return super().parse_losses(losses)

    def task_of(self, loss_name: str) -> str:
        """Return the task of the one pattern that the loss matches.

        Raises:
            InputError: If there is none, or more than one.
        """
        matches = [p for p in self.tasks if fnmatchcase(loss_name, p)]
        if len(matches) != 1:
            found = f'matches {matches}' if matches else 'matches none of them'
            raise InputError(
                '`tasks` of TaskMarked should have exactly one pattern for '
                f'each loss of {type(self).made_of[1].__name__}, but '
                f'`{loss_name}` {found}; they are {list(self.tasks)}.')
        return self.tasks[matches[0]]

    def _tell_unmatched(self, losses: Mapping) -> None:
        names = [name for name in losses if 'loss' in name]
        unmatched = [
            pattern for pattern in self.tasks
            if not any(fnmatchcase(name, pattern) for name in names)
        ]
        if unmatched:
            print_log(
                f'`tasks` of TaskMarked has {unmatched}, which no loss of the '
                f'first iteration matches; the losses are {names}.',
                'current', logging.WARNING)


def _build(model: Mapping,
           data_preprocessor: dict | nn.Module | None) -> nn.Module:
    model = dict(model)
    if data_preprocessor is not None:
        model.setdefault('data_preprocessor', data_preprocessor)
    return MODELS.build(model)


def _check_model(model: Any) -> None:
    if not isinstance(model, BaseModel):
        raise InputTypeError(
            '`model` should be a model of MMEngine or its config, such as '
            "dict(type='mmseg.EncoderDecoder', ...), but got "
            f'{type(model).__name__}.')
    if isinstance(model, TaskLossMixin):
        name = type(model).__name__
        raise InputError(
            f'`model` should not mark its losses by itself, but {name} does: '
            'use it without `mmgh.TaskMarked`.')


def _check_pairs(pairs: Pairs | None, tasks: Mapping[str, str]) -> None:
    if pairs is None:
        return
    check_pairs(pairs)
    unknown = {task for pair in pairs for task in pair} - set(tasks.values())
    if unknown:
        raise InputError(
            f'`pairs` should pair the tasks {sorted(set(tasks.values()))}, '
            f'but got {sorted(unknown)}.')


def _check_module(model: nn.Module, name: str) -> None:
    names = [
        known for known, _ in model.named_modules(remove_duplicate=False)
        if known
    ]
    if name not in names:
        near = get_close_matches(name, names, n=3) or [
            known for known, _ in model.named_children()
        ]
        raise InputError(
            f'`features` should name a module of {type(model).__name__}, '
            f'but it has no {name!r}. '
            f'Near are {near}.')
