"""What MMEngine's hooks save of a training, and when."""
from __future__ import annotations

from mmengine.hooks import CheckpointHook, EMAHook
from torch import nn


def checkpoint_hooks(runner) -> list[CheckpointHook]:
    """Return the hooks that save checkpoints."""
    return [hook for hook in runner.hooks if isinstance(hook, CheckpointHook)]


def saves_after_iter(runner) -> bool:
    """Tell whether a checkpoint is due after the iteration that was done, to
    who has to act before, on all ranks: only the first one saves."""
    return any(not hook.by_epoch and (hook.every_n_train_iters(
        runner, hook.interval, hook.save_begin) or (
            hook.save_last and hook.is_last_train_iter(runner)))
               for hook in checkpoint_hooks(runner))


def saved_models(runner) -> list[nn.Module]:
    """Return the model, and averages of it that are validated and saved."""
    return [
        runner.model,
        *(hook.ema_model for hook in runner.hooks if isinstance(hook, EMAHook))
    ]
