from __future__ import annotations

import numpy as np
from mmengine.hooks import Hook
from mmengine.logging import HistoryBuffer

from mmgh.registry import HOOKS

# Values of the last iterations, and blocks of older ones.
_RECENT = 1000
_BLOCKS = 4096


@HOOKS.register_module()
class LogLengthHook(Hook):
    """Bounds the log that MMEngine keeps in memory and in each checkpoint.

    It copies all values of a scalar whenever there is a new one. When there
    are too many, the older ones are summed up in blocks of 2, later 4, 8, ...
    iterations. MMEngine's buffers have a count for each entry, so means are as
    they were: over all iterations, and over any window of the log processor,
    whose values stay as they are. A scalar that the log processor looks at as
    a whole (``window_size='global'``) keeps all values.

    Trainings of less than 9000 iterations keep all values, too.

    Example:
        >>> default_hooks = dict(log_length=dict(type='mmgh.LogLengthHook'))
    """

    priority = 'LOWEST'

    def before_train(self, runner) -> None:
        """See which values the log processor looks at."""
        processor = runner.log_processor
        windows = {
            cfg['data_src']: cfg.get('window_size', 'global')
            for cfg in processor.custom_cfg
        }
        self._whole = {
            name for name, window in windows.items() if window == 'global'
        }
        # MMEngine averages the times of a validation over all of it.
        loops = [runner.val_loop]
        if 'epoch' in windows.values():
            loops.append(runner.train_loop)
        self._recent = max(
            _RECENT, processor.window_size,
            *(1 + len(loop.dataloader) for loop in loops if loop),
            *(window for window in windows.values()
              if isinstance(window, int)))

    def after_train_iter(self, runner, *args, **kwargs) -> None:
        """Shorten what has become too long."""
        self._shorten(runner.message_hub.log_scalars)

    def after_val_iter(self, runner, *args, **kwargs) -> None:
        """Shorten what has become too long; not in a validation alone."""
        if hasattr(self, '_recent'):
            self._shorten(runner.message_hub.log_scalars)

    def _shorten(self, scalars: dict[str, HistoryBuffer]) -> None:
        for name, buffer in scalars.items():
            if len(buffer.data[0]) > self._recent + 2 * _BLOCKS and (
                    name.partition('/')[2] not in self._whole):
                scalars[name] = shortened(buffer, self._recent, _BLOCKS)


def shortened(buffer: HistoryBuffer, recent: int,
              blocks: int) -> HistoryBuffer:
    """Sum up older values in blocks of equal width, a power of two.

    Args:
        buffer (HistoryBuffer): With at least one older value.
        recent (int): How many entries stay as they are.
        blocks (int): Of older ones there are at most so many afterwards.
    """
    values, counts = buffer.data
    older = counts[:-recent]
    begins = np.cumsum(older) - older
    width = 1
    while (begins[-1] + older[-1]) / width > blocks:
        width *= 2
    # Blocks of before lie within these.
    first = np.flatnonzero(np.diff(begins // width, prepend=-1))
    return HistoryBuffer(*(np.concatenate(
        [np.add.reduceat(part[:-recent], first), part[-recent:]])
                           for part in (values, counts)), buffer.max_length)
