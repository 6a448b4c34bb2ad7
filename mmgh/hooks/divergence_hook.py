from __future__ import annotations

from math import isfinite
from pathlib import Path
from typing import Iterator

from mmengine.hooks import Hook
from mmengine.optim import OptimWrapper, OptimWrapperDict
from torch import nn

from mmgh.arguments import FLAG
from mmgh.divergence import (DivergenceError, diverged_weights,
                             pop_diverged_tasks)
from mmgh.registry import HOOKS
from mmgh.unwrap import unwrap
from .last_good_checkpoint import last_good_checkpoint
from .resuming.optim_wrappers import wrappers_by_name
from .saved_models import checkpoint_hooks, saved_models, saves_after_iter

# A loss scale that was halved this often is not what overflows.
_MAX_SKIPPED = 50


@HOOKS.register_module()
class DivergenceHook(Hook):
    """Ends a training that diverges, before it is saved.

    At the first loss, or Gramian of task gradients, that is not finite it
    raises a :class:`mmgh.divergence.DivergenceError` that names the task and
    the last good checkpoint, which stays the last one. (It looks at what
    MMEngine has read of the losses for its log, so that a GPU need not wait.)
    Also the weights are looked at, before each checkpoint and each validation.

    With a loss scale steps that overflow are skipped, as always; only if this
    goes on for more than 50 iterations, training ends. That all steps were
    skipped also shows in the scale, which is looked at every 50 steps, so that
    a GPU need not wait.

    Args:
        stop (bool): False goes on with losses that are not finite, with a
            warning. With :class:`SafeTrainingHook` the weights may recover;
            if they have not when a checkpoint or a validation is due,
            training ends. Defaults to True.

    Example:
        >>> default_hooks = dict(divergence=dict(type='mmgh.DivergenceHook'))
    """

    # After hooks that may restore the weights (NORMAL), and before what logs
    # (BELOW_NORMAL) or saves.
    priority = 55

    def __init__(self, stop: bool = True) -> None:
        FLAG.check(stop=stop)
        self.stop = stop
        self._in_a_row = 0
        # Of each wrapper, when it was looked at last.
        self._loss_scales: dict[str, float] = {}

    def after_train_iter(self,
                         runner,
                         batch_idx,
                         data_batch=None,
                         outputs=None) -> None:
        """Look at the losses; at the weights, if a checkpoint is due."""
        iteration = runner.iter + 1
        tasks = pop_diverged_tasks(runner.message_hub)
        found = list(_losses(runner, outputs or {})) or [
            f'the gradient of the task `{task}` is not finite'
            for task in tasks
        ]
        self._in_a_row = self._in_a_row + 1 if found else 0
        if found and self._is_over(runner.optim_wrapper):
            _end(runner, iteration, found)
        if self._in_a_row == 1 and not self.stop:
            runner.logger.warning(f'Iteration {iteration}: {found[0]}.')
        for name, wrapper in wrappers_by_name(runner.optim_wrapper).items():
            if self._skipped_all(name, wrapper, iteration):
                _end(runner, iteration, [
                    f'each of the last {_MAX_SKIPPED} steps was skipped, as '
                    'gradients are not finite with any loss scale'])
        if saves_after_iter(runner):
            _check_weights(runner, iteration)

    def after_train_epoch(self, runner) -> None:
        """Look at the weights: a checkpoint may be due."""
        _check_weights(runner, runner.iter)

    def before_val_epoch(self, runner) -> None:
        """Look at the weights."""
        _check_weights(runner, runner.iter)

    def _skipped_all(self, name: str, wrapper: OptimWrapper,
                     iteration: int) -> bool:
        """Tell whether each step since the last look was skipped, all of
        which lower the loss scale."""
        counts = getattr(wrapper, '_accumulative_counts', 1)
        is_due = (name not in self._loss_scales
                  or iteration % (_MAX_SKIPPED * counts) == 0)
        if not (is_due and _has_loss_scale(wrapper)):
            return False
        scaler = wrapper.loss_scaler
        before = self._loss_scales.get(name)
        self._loss_scales[name] = now = scaler.get_scale()
        lowest = scaler.get_backoff_factor()**(_MAX_SKIPPED - 1)
        return before is not None and now <= before * lowest

    def _is_over(self, wrapper: OptimWrapper | OptimWrapperDict) -> bool:
        if _has_loss_scale(wrapper):
            return self._in_a_row > _MAX_SKIPPED
        return self.stop


def _losses(runner, outputs: dict) -> Iterator[str]:
    """Yield what is to say of each loss that is not finite."""
    values = {
        name: runner.message_hub.get_scalar(f'train/{name}').current()
        for name in outputs if 'loss' in name
    }
    found = [name for name in values if not isfinite(values[name])]
    if found != ['loss']:  # the total is not what began
        found = [name for name in found if name != 'loss']
    for name in found:
        task = _task_of(unwrap(runner.model), name)
        of_task = f' of the task `{task}`' if task else ''
        yield f'`{name}`{of_task} is {values[name]}'


def _task_of(model: nn.Module, loss: str) -> str | None:
    """Return the task of a loss; None where the model says none, as of a
    total."""
    try:
        return model.task_of(loss)
    except (AttributeError, KeyError):
        return None


def _has_loss_scale(wrapper: OptimWrapper | OptimWrapperDict) -> bool:
    if isinstance(wrapper, OptimWrapperDict):
        return any(_has_loss_scale(one) for one in wrapper.values())
    scaler = getattr(wrapper, 'loss_scaler', None)
    return scaler is not None and scaler.is_enabled()


def _check_weights(runner, iteration: int) -> None:
    for model in saved_models(runner):
        names = diverged_weights(unwrap(model))
        if names:
            of = f' (the first of {len(names)} weights)' if names[1:] else ''
            _end(runner, iteration, [f'`{names[0]}`{of} is not finite'])


def _end(runner, iteration: int, found: list[str]) -> None:
    folders = {Path(runner.work_dir)} | {
        Path(hook.out_dir or runner.work_dir)
        for hook in checkpoint_hooks(runner)
    }
    good = last_good_checkpoint(folders,
                                dict(unwrap(runner.model).named_parameters()))
    message = (
        f"The training diverged in iteration {iteration}: {', '.join(found)}. "
        + (f'The last good checkpoint is {good}.'
           if good else 'It has no good checkpoint.'))
    runner.logger.warning(message)
    raise DivergenceError(message)
