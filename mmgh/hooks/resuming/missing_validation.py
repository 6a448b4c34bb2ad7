from __future__ import annotations

from bisect import bisect

from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop


def is_validation_due(runner) -> bool:
    """Tell whether an uninterrupted run would validate now, before it trains
    on: MMEngine validates after it saves."""
    loop = runner.train_loop
    if runner.val_loop is None:
        return False
    if isinstance(loop, EpochBasedTrainLoop):
        if loop.iter != loop.epoch * len(loop.dataloader):
            return False  # within an epoch
        now, end = loop.epoch, loop.max_epochs
    elif isinstance(loop, IterBasedTrainLoop):
        now, end = loop.iter, loop.max_iters
    else:
        return False
    stage = bisect(loop.dynamic_milestones, now + 1) - 1
    return now >= loop.val_begin and (now % loop.dynamic_intervals[stage] == 0
                                      or now == end)
