from __future__ import annotations

import inspect
from contextlib import suppress
from math import isinf

import torch
from mmengine.dataset import InfiniteSampler
from mmengine.hooks import CheckpointHook, Hook
from mmengine.optim import OptimWrapper
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop
from torch import nn
from torch.utils.data import DataLoader

from mmgh.input_error import InputError
from mmgh.registry import HOOKS
from mmgh.task_losses import TaskLossMixin, harmonizes
from mmgh.unwrap import unwrap
from .resuming.optim_wrappers import wrappers_by_name
from .runner_parts import schedulers_of
from .training_warnings import warnings_of


@HOOKS.register_module()
class TrainingCheckHook(Hook):
    """Refuses settings of a training that contradict each other.

    Loop and sampler: an epoch has to end, and has a batch. Loop and schedule:
    one that counts epochs would never step. Loop and validation: there is one,
    at the end at the latest. Also what would fail late: clipping, at the first
    step, and saving, at the first checkpoint.

    Warns of a resumed run that is at its end, of checkpoints at the end alone,
    of validations that are logged by epoch where there is none, of warm-ups
    that hardly begin, of ``custom_keys`` of no parameter, of a preprocessor
    that is replaced in part of its settings, of losses without a weight where
    gradients are harmonized, of batch augmentations, which the source alone
    has, and of a target that is the source, in training or in validation.

    Example:
        >>> custom_hooks = [dict(type='mmgh.TrainingCheckHook')]
    """

    def before_train(self, runner) -> None:
        """Check what the training consists of."""
        _check_length(runner.train_loop)
        _check_batches('train', runner.train_dataloader)
        if isinstance(runner.train_loop, EpochBasedTrainLoop):
            _check_end('train', runner.train_dataloader,
                       'with `train_cfg.by_epoch=True`')
        if runner.val_loop is not None:
            _check_batches('val', runner.val_dataloader)
            _check_end('val', runner.val_dataloader, 'in validation')
            _check_interval(runner.train_loop)
        if isinstance(runner.train_loop, IterBasedTrainLoop):
            for scheduler in schedulers_of(runner):
                _check_counts_iterations(scheduler)
        for wrapper in wrappers_by_name(runner.optim_wrapper).values():
            _check_clipping(wrapper)
        for hook in runner.hooks:
            if isinstance(hook, CheckpointHook):
                _check_saving(hook, runner)
        for warning in warnings_of(runner):
            runner.logger.warning(warning)
        _tell_what_is_harmonized(runner)


def _tell_what_is_harmonized(runner) -> None:
    """Let the log of a baseline say that it is one."""
    if isinstance(unwrap(runner.model), TaskLossMixin):
        for name, wrapper in wrappers_by_name(runner.optim_wrapper).items():
            does = ('harmonizes' if harmonizes(wrapper) else
                    'does not harmonize')
            kind = ' '.join(filter(None, (type(wrapper).__name__, name)))
            runner.logger.info(f'{kind} {does} the gradients of the tasks.')


def _check_batches(kind: str, dataloader: DataLoader) -> None:
    if dataloader.batch_sampler is None:
        raise InputError(f'`{kind}_dataloader.batch_size` should be a whole '
                         'number of at least 1, but got None.')
    with suppress(TypeError):  # of data without a length
        if not len(dataloader):
            raise InputError(
                f'`{kind}_dataloader` should have at least one batch, but '
                f'makes none of {len(dataloader.dataset)} images with '
                f'`batch_size={dataloader.batch_size}` and '
                f'`drop_last={dataloader.drop_last}`.')


def _check_end(kind: str, dataloader: DataLoader, where: str) -> None:
    """Refuse a sampler that goes on for ever."""
    sampler = getattr(dataloader.batch_sampler, 'sampler', dataloader.sampler)
    name = f'{kind}_dataloader.sampler'
    if isinstance(sampler, InfiniteSampler):
        raise InputError(
            f"`{name}.type` should be 'DefaultSampler' {where}, since an "
            'epoch has to end, but got InfiniteSampler.')
    if getattr(sampler, 'infinite', False):
        raise InputError(f'`{name}` should have `infinite=False` {where}, '
                         'since an epoch has to end, but got True.')


def _length_of(loop) -> tuple[str, int]:
    """Return the name of the setting that ends the training, and its value."""
    is_by_iteration = isinstance(loop, IterBasedTrainLoop)
    name = 'max_iters' if is_by_iteration else 'max_epochs'
    return name, getattr(loop, name)


def _check_length(loop) -> None:
    name, length = _length_of(loop)
    if length < 1:
        raise InputError(f'`train_cfg.{name}` should be a whole number of at '
                         f'least 1, but got {length!r}.')


def _check_interval(loop) -> None:
    intervals = getattr(loop, 'dynamic_intervals', ())
    for interval in intervals:
        if not (isinstance(interval, (int, float)) and interval >= 1
                and (isinf(interval) or interval == int(interval))):
            raise InputError('`train_cfg.val_interval` should be a whole '
                             f'number of at least 1, but got {interval!r}.')
    name, last = _length_of(loop)
    if getattr(loop, 'val_begin', 1) > last:
        raise InputError(f'`train_cfg.val_begin` should be at most '
                         f'`{name}={last}`, but got {loop.val_begin!r}.')


def _check_counts_iterations(scheduler) -> None:
    # One that waits for a metric steps after validations.
    if scheduler.by_epoch and not hasattr(scheduler, 'monitor'):
        raise InputError(
            '`param_scheduler.by_epoch` should be False where the train loop '
            'counts iterations: it would never step. But that of '
            f'{type(scheduler).__name__} is True.')


def _check_clipping(wrapper: OptimWrapper) -> None:
    options = getattr(wrapper, 'clip_grad_kwargs', None)
    if not options:
        return
    parameter = nn.Parameter(torch.zeros(1))
    parameter.grad = torch.zeros(1)
    try:
        wrapper.clip_func([parameter], **options)
    except Exception as error:  # torch names no common type
        raise InputError(
            '`optim_wrapper.clip_grad` should be options of '
            f'{wrapper.clip_func.__name__}, but with {options} it ends in '
            f'{type(error).__name__}: {error}') from error
    for name in ('max_norm', 'clip_value'):
        if not options.get(name, 1) > 0:
            raise InputError(f'`optim_wrapper.clip_grad.{name}` should be '
                             f'positive, but got {options[name]!r}.')


def _check_saving(hook: CheckpointHook, runner) -> None:
    try:
        inspect.signature(runner.save_checkpoint).bind_partial(**hook.args)
    except TypeError as error:
        raise InputError('The options of CheckpointHook should be its own, or '
                         f'of Runner.save_checkpoint, but: {error}.'
                         ) from error
