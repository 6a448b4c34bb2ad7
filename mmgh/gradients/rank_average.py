from __future__ import annotations

from typing import Iterator, Sequence

import torch
from mmengine.dist import get_world_size
from torch import Tensor
from torch import distributed as dist

from .task_gradients import TaskGradient

_BUCKET_BYTES = 25 * 2**20


class RankAverage:
    """Mean of a task's gradient over the ranks, while other work goes on.

    The gradient travels in few large messages. They start when the object is
    made; ``wait`` replaces the gradient by the mean, in place.

    A parameter that the task reaches on some ranks only has a zero gradient
    on the others, and one that it reaches nowhere has none. So all parameters
    travel, and with them who has reached which.

    Args:
        gradient (TaskGradient): Of one task, on this rank. Its tensors should
            no longer be used: they give way to parts of the messages.
        parameters (Sequence[Tensor]): All that may occur, in the same order
            on every rank.
    """

    def __init__(self, gradient: TaskGradient,
                 parameters: Sequence[Tensor]) -> None:
        self.gradient = gradient
        self.parameters = parameters
        self._work = []
        if get_world_size() == 1:
            return
        reached = torch.tensor([float(p in gradient) for p in parameters])
        self._reached = reached.to(parameters[0].device, non_blocking=True)
        self._reduce(self._reached)
        for bucket in _buckets(parameters):
            message = torch.cat([
                gradient[p].flatten() if p in gradient else p.new_zeros(
                    p.numel()) for p in bucket
            ])
            # Before the sum, which a half-precision number may not hold.
            message.div_(get_world_size())
            parts = message.split([p.numel() for p in bucket])
            for parameter, part in zip(bucket, parts):
                gradient[parameter] = part.view_as(parameter)
            self._reduce(message)

    def _reduce(self, message: Tensor) -> None:
        self._work.append(dist.all_reduce(message, async_op=True))

    def wait(self) -> None:
        """Return when the gradient is the mean over ranks."""
        if not self._work:
            return
        for work in self._work:
            work.wait()
        for parameter, ranks in zip(self.parameters, self._reached.tolist()):
            if ranks == 0:
                del self.gradient[parameter]


def _buckets(parameters: Sequence[Tensor]) -> Iterator[list[Tensor]]:
    """Parameters of one type and device, of a message's size together."""
    bucket: list[Tensor] = []
    kind, size = None, 0
    for parameter in parameters:
        fits = size + parameter.nbytes <= _BUCKET_BYTES
        if bucket and not (fits
                           and kind == (parameter.dtype, parameter.device)):
            yield bucket
            bucket, size = [], 0
        kind = parameter.dtype, parameter.device
        bucket.append(parameter)
        size += parameter.nbytes
    if bucket:
        yield bucket
