"""Gradients that wait for a step when a checkpoint is saved, and what counts
the updates until then."""
from __future__ import annotations

from typing import Iterator

from mmengine.hooks import CheckpointHook
from mmengine.runner import EpochBasedTrainLoop
from torch import Tensor

from mmgh.input_error import InputError
from .optim_wrappers import wrappers_by_name


def accumulated_gradients(optim_wrapper) -> dict[str, dict[int, Tensor]]:
    """Return the ``grad`` fields of each wrapper that has some after an
    iteration, by the number of the parameter: it is between two steps, or the
    backward pass of another wrapper has left them there."""
    by_name = {
        name: {
            i: parameter.grad.cpu()
            for i, parameter in enumerate(_parameters(wrapper))
            if parameter.grad is not None
        }
        for name, wrapper in wrappers_by_name(optim_wrapper).items()
    }
    return {name: found for name, found in by_name.items() if found}


def restore_gradients(optim_wrapper,
                      gradients: dict[str, dict[int, Tensor]]) -> None:
    """Fill the ``grad`` fields again."""
    wrappers = wrappers_by_name(optim_wrapper)
    for name, by_number in gradients.items():
        parameters = list(_parameters(wrappers[name]))
        for i, gradient in by_number.items():
            parameters[i].grad = gradient.to(parameters[i], copy=True)


def update_counts(optim_wrapper) -> dict[str, int]:
    """Return how many updates each wrapper has counted, which says when its
    next step and, with an ``interval``, its next comparison are due."""
    return {
        name: wrapper.inner_count
        for name, wrapper in wrappers_by_name(optim_wrapper).items()
    }


def restore_counts(optim_wrapper, counts: dict[str, int]) -> None:
    """Go on counting. MMEngine counts iterations where there is one wrapper,
    and begins at 0 where there are several."""
    for name, wrapper in wrappers_by_name(optim_wrapper).items():
        if name in counts:
            wrapper._inner_count = counts[name]


def check_accumulation(runner) -> None:
    """Refuse checkpoints between two steps where several processes have
    gradients of their own, and one of them saves.

    Raises:
        ValueError: If there may be such a checkpoint.
    """
    if runner.world_size == 1:
        return
    for wrapper in wrappers_by_name(runner.optim_wrapper).values():
        counts = getattr(wrapper, '_accumulative_counts', 1)
        for setting, iterations in _checkpoint_iterations(runner):
            if iterations % counts:
                raise InputError(
                    f'`{setting}` should be a multiple of '
                    f'`accumulative_counts`, {counts}, in iterations, where '
                    'several processes train: no checkpoint holds the '
                    'gradients that each has accumulated, but got '
                    f'{iterations}.')


def _checkpoint_iterations(runner) -> Iterator[tuple[str, int]]:
    """Yield the settings that say when checkpoints are saved."""
    loop = runner.train_loop
    length = len(loop.dataloader)
    for hook in runner.hooks:
        if not isinstance(hook, CheckpointHook):
            continue
        factor = length if hook.by_epoch else 1
        if hook.interval > 0:
            yield 'default_hooks.checkpoint.interval', hook.interval * factor
            begin = max(hook.save_begin, 0)
            yield 'default_hooks.checkpoint.save_begin', begin * factor
        if hook.save_best and runner.val_loop is not None:
            by_epoch = isinstance(loop, EpochBasedTrainLoop)
            yield ('train_cfg.val_interval',
                   loop.val_interval * (length if by_epoch else 1))


def _parameters(wrapper) -> Iterator[Tensor]:
    for group in wrapper.optimizer.param_groups:
        yield from group['params']
