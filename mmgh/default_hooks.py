"""Hooks that join every runner of our models.

A config on our ``default_runtime.py`` names them. One on mmpretrain's own
does not, and another tool than ours, such as that of mmpretrain, leaves it at
that. A model has no access to its runner, so mmgh, which building such a model
imports, extends ``register_hooks`` of MMEngine's runners. Runners of
other models go on as before.
"""
from __future__ import annotations

from functools import wraps
from typing import Any, Callable, Sequence

from mmengine.hooks import CheckpointHook, Hook
from mmengine.registry import HOOKS, MODELS
from mmengine.runner import FlexibleRunner, Runner
from torch import nn

from mmgh.unwrap import unwrap

# By their names in `default_hooks`, where None turns one off.
DEFAULT_HOOKS = {
    # The log in memory and in checkpoints does not grow without end.
    'log_length': 'mmgh.LogLengthHook',
    # The head, the training and the test data have the same classes.
    'class_check': 'mmgh.ClassCheckHook',
    # A checkpoint has the weights of the model.
    'weights_check': 'mmgh.WeightsCheckHook',
    # The data and the model have what the metrics need.
    'evaluator_check': 'mmgh.EvaluatorCheckHook',
    # Loop, sampler, schedule and hooks do not contradict each other.
    'training_check': 'mmgh.TrainingCheckHook',
    # A training that diverges ends before it is saved.
    'divergence': 'mmgh.DivergenceHook',
    # Several processes validate what they save.
    'common_buffers': 'mmgh.CommonBuffersHook',
    # A resumed run equals an uninterrupted one.
    'exact_resume': 'mmgh.ExactResumeHook',
}
# Without these MMEngine takes those that it has by default.
_OF_MMENGINE = ('runtime_info', 'timer', 'sampler_seed', 'logger',
                'param_scheduler', 'checkpoint')
# In place of MMEngine's own, with its options: a kill loses nothing.
_CHECKPOINT_HOOK = 'mmgh.AtomicCheckpointHook'


def join_runners() -> None:
    """Let the hooks join, however often it is called."""
    for kind in (Runner, FlexibleRunner):
        own = getattr(kind.register_hooks, '_before_mmgh',
                      kind.register_hooks)
        kind.register_hooks = _joined(own)
    own = getattr(FlexibleRunner.load_or_resume, '_before_mmgh',
                  FlexibleRunner.load_or_resume)
    FlexibleRunner.load_or_resume = _told(own)


def with_default_hooks(default_hooks: dict[str, Any] | None,
                       custom_hooks: Sequence | None) -> dict[str, Any]:
    """Return default hooks with ours.

    One is left out if its name, or one of its type, is there already.
    MMEngine's ``CheckpointHook`` gives way to ours.
    """
    # As MMEngine has it, unless the config says otherwise.
    chosen = dict(checkpoint=dict(type='CheckpointHook', interval=1))
    chosen.update(default_hooks or {})
    checkpoint = chosen['checkpoint']
    if isinstance(checkpoint, dict) and _type_of(
            checkpoint) is CheckpointHook:
        chosen['checkpoint'] = {**checkpoint, 'type': _CHECKPOINT_HOOK}
    there = {
        _type_of(hook) for hook in [*chosen.values(), *(custom_hooks or ())]
    }
    for name, kind in DEFAULT_HOOKS.items():
        if name not in chosen and HOOKS.get(kind) not in there:
            chosen[name] = dict(type=kind)
    # MMEngine only takes None for hooks of its own.
    return {
        name: hook for name, hook in chosen.items()
        if hook is not None or name in _OF_MMENGINE
    }


def _joined(own: Callable) -> Callable:

    @wraps(own)
    def register_hooks(self, default_hooks=None, custom_hooks=None) -> None:
        # Not above: whoever imports a runner first, which these do, imports
        # this file. And the last one imports the compiler of torch, which
        # takes a second.
        from mmgh.config_names import check_names
        from mmgh.config_values import check_values
        from mmgh.task_losses import TaskLossMixin

        bases = _kind_of(self.model).__mro__
        if TaskLossMixin in bases:
            check_names(self.cfg)
            check_values(self.cfg)
        if _is_ours(bases):
            default_hooks = with_default_hooks(default_hooks, custom_hooks)
        own(self, default_hooks, custom_hooks)

    register_hooks._before_mmgh = own
    return register_hooks


def _told(own: Callable) -> Callable:
    """Let hooks know of a runner that loads before it runs."""

    @wraps(own)
    def load_or_resume(self) -> None:
        for hook in self.hooks:
            if hasattr(hook, 'before_load'):
                hook.before_load(self)
        own(self)

    load_or_resume._before_mmgh = own
    return load_or_resume


def _kind_of(model: nn.Module | dict) -> type:
    """Return the class of a model; one runner has but the config of it."""
    if not isinstance(model, dict):
        return type(unwrap(model))
    kind = model.get('type')
    kind = MODELS.get(kind) if isinstance(kind, str) else kind
    return kind if isinstance(kind, type) else object


def _is_ours(bases: Sequence[type]) -> bool:
    """Tell whether it is one of `mmgh.models`, or derived from one.

    Without an import of these: a model of another library may harmonize where
    mmpretrain is not installed.
    """
    return any(kind.__module__.startswith('mmgh.models.') for kind in bases)


def _type_of(hook: Hook | dict | None) -> type | None:
    if not isinstance(hook, dict):
        return type(hook)
    kind = hook.get('type')
    return HOOKS.get(kind) if isinstance(kind, str) else kind
