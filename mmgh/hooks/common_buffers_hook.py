from __future__ import annotations

from typing import Iterable

from mmengine.dist import all_reduce_params, broadcast, get_world_size
from mmengine.hooks import Hook
from torch import nn

from mmgh.registry import HOOKS
from .saved_models import saved_models, saves_after_iter

_STATISTICS = ('running_mean', 'running_var')


@HOOKS.register_module()
class CommonBuffersHook(Hook):
    """Gives all ranks the same buffers where they validate and save.

    Each rank has the batch norm statistics of its own share of the data, a
    checkpoint those of the first rank. So the ranks would validate models
    that are in no checkpoint, and a resumed run would not equal an
    uninterrupted one. With this hook running means and variances are averaged
    over the ranks: as they are averages over batches, that makes them those
    of the batches of all ranks. All other buffers become those of the first
    rank.

    (MMEngine's ``SyncBuffersHook`` comes after the checkpoint in a loop by
    iterations.) With one process there is nothing to do.

    Example:
        >>> default_hooks = dict(
        ...     common_buffers=dict(type='mmgh.CommonBuffersHook'))
    """

    # After what may restore weights (NORMAL), before what saves (VERY_LOW).
    priority = 'LOW'

    def __init__(self) -> None:
        # A second average might round.
        self._are_common = False

    def before_train_iter(self, runner, batch_idx, data_batch=None) -> None:
        """Note that the ranks go different ways."""
        self._are_common = False

    def after_train_iter(self,
                         runner,
                         batch_idx,
                         data_batch=None,
                         outputs=None) -> None:
        """Act if a checkpoint is due."""
        if get_world_size() > 1 and saves_after_iter(runner):
            self._make_common(runner)

    def after_train_epoch(self, runner) -> None:
        """Act: a checkpoint may be due."""
        self._make_common(runner)

    def before_val_epoch(self, runner) -> None:
        """Act."""
        self._make_common(runner)

    def _make_common(self, runner) -> None:
        if get_world_size() > 1 and not self._are_common:
            make_buffers_common(saved_models(runner))
        self._are_common = True


def make_buffers_common(models: Iterable[nn.Module]) -> None:
    """Average the statistics of normalisation layers over the ranks, and
    replace other buffers by those of the first rank, in place."""
    for model in models:
        buffers = dict(model.named_buffers())
        statistics = [
            buffers.pop(name) for name in list(buffers)
            if name.endswith(_STATISTICS)
        ]
        all_reduce_params(statistics, op='mean')
        for buffer in buffers.values():
            broadcast(buffer)
