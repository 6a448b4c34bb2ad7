from __future__ import annotations

from typing import Iterable, Iterator, NamedTuple, Sequence

import torch
from mmengine.dist import get_world_size
from torch import Tensor
from torch import distributed as dist

from .common_tasks import common_tasks
from .task_gradients import TaskGradient

_BUCKET_BYTES = 25 * 2**20


class RankAverage:
    """Means of task gradients over the ranks, while other work goes on.

    The gradient of a task travels in few large messages, with the parameters
    that the task reaches on any rank, and no others. A parameter that it
    reaches on some ranks only has a zero gradient on the others, and one that
    it reaches nowhere has none.

    Which parameters those are the ranks tell each other at the first step.
    At each further one they add up two numbers: how many of them have reached
    others than when they last told, and how many have other tasks. If any has
    reached others, all tell again, and what was left out travels then.

    Args:
        dtype (torch.dtype, optional): Of the messages. Defaults to None: that
            of the parameters.
    """

    def __init__(self, dtype: torch.dtype | None = None) -> None:
        self.dtype = dtype
        self._tasks: list[str] | None = None
        # Of the last step, with all parameters that might have occurred.
        self._started: dict[str, Sequence[Tensor]] = {}
        self._reach: dict[str, _Reach] = {}
        self._travelling: dict[str, _Travelling] = {}

    def order(self, tasks: Iterable[str],
              parameters: Sequence[Tensor]) -> list[str]:
        """Return the names of the tasks in an order that all ranks have.

        The ranks compare their tasks at the first step and, where something
        was sent at the last one, when those of a rank have changed.

        Args:
            tasks (Iterable[str]): Of this step on this rank.
            parameters (Sequence[Tensor]): See :meth:`start`.

        Raises:
            RuntimeError: On all ranks, if they have different tasks.
        """
        tasks = list(tasks)
        if get_world_size() == 1:
            return tasks
        if self._tasks is not None and set(tasks) != set(self._tasks):
            if not self._started:
                # Nobody could be told, but all that see the same do the same.
                known = [task for task in self._tasks if task in tasks]
                return known + sorted(set(tasks) - set(known))
            self._stand_in(parameters)
            self._tasks = None
        if self._tasks is None:
            self._tasks = common_tasks(tasks, _device(parameters))
        return list(self._tasks)

    def start(self, task: str, gradient: TaskGradient,
              parameters: Sequence[Tensor]) -> None:
        """Send the gradient of a task.

        Args:
            task (str): Its name; all ranks start the same tasks in the same
                order.
            gradient (TaskGradient): On this rank. Until :meth:`wait` it is
                not to be used.
            parameters (Sequence[Tensor]): All that may occur, in the same
                order on every rank.
        """
        if get_world_size() == 1:
            return
        here = set(gradient)
        is_new = task not in self._reach
        if is_new:
            anywhere = _reached_anywhere(here, parameters)
            self._reach[task] = _Reach(here, anywhere, anywhere)
        sent = [p for p in parameters if p in self._reach[task].sent]
        self._travelling[task] = _Travelling(
            gradient, here, parameters, self._send(gradient, sent), is_new)

    def wait(self) -> None:
        """Return when each gradient is its mean over ranks, with the
        parameters in their order."""
        if self._have_reached_others():
            self._tell_again()
        for task, (gradient, _, parameters, messages,
                   _) in self._travelling.items():
            means: TaskGradient = {}
            for message in messages:
                means.update(message.receive())
            reached = self._reach[task].anywhere
            gradient.clear()
            gradient.update((p, means[p]) for p in parameters if p in reached)
        self._started = {
            task: travelling.parameters
            for task, travelling in self._travelling.items()
        }
        self._travelling.clear()

    def _stand_in(self, parameters: Sequence[Tensor]) -> None:
        """Send zeros for what ranks without a change of tasks send in this
        step, and tell them."""
        for task, occurring in self._started.items():
            sent = [
                p for p in occurring
                if p.requires_grad and p in self._reach[task].sent
            ]
            for message in self._send({}, sent):
                message.work.wait()
        _sum_over_ranks([0, 1], parameters)

    def _have_reached_others(self) -> bool:
        """Tell whether that is so on any rank.

        Raises:
            RuntimeError: If one has other tasks.
        """
        if all(travelling.is_new for travelling in self._travelling.values()):
            # All have told just now.
            return False
        parameters = next(iter(self._travelling.values())).parameters
        changed = any(travelling.here != self._reach[task].here
                      for task, travelling in self._travelling.items())
        reached_others, have_other_tasks = _sum_over_ranks(
            [int(changed), 0], parameters)
        if have_other_tasks:
            common_tasks(self._tasks or [], _device(parameters))
        return reached_others > 0

    def _tell_again(self) -> None:
        """Send what was reached anew on some rank."""
        for task, (gradient, here, parameters, messages,
                   _) in self._travelling.items():
            anywhere = _reached_anywhere(here, parameters)
            before = self._reach[task].sent
            messages += self._send(
                gradient,
                [p for p in parameters if p in anywhere and p not in before])
            self._reach[task] = _Reach(here, anywhere, before | anywhere)

    def _send(self, gradient: TaskGradient,
              parameters: Sequence[Tensor]) -> list[_Message]:
        """Send and take away a part of a gradient."""
        return [
            _Message.send(gradient, bucket, self.dtype)
            for bucket in _buckets(parameters)
        ]


class _Reach(NamedTuple):
    """Which parameters a task reaches."""

    here: set[Tensor]
    """On this rank, when the ranks last told each other."""

    anywhere: set[Tensor]
    """On some rank, then."""

    sent: set[Tensor]
    """On some rank, at some step. What comes and goes, such as a layer that
    is dropped now and then, has its place in the messages."""


class _Travelling(NamedTuple):
    """The gradient of a task on its way."""

    gradient: TaskGradient
    here: set[Tensor]
    parameters: Sequence[Tensor]
    messages: list[_Message]
    is_new: bool


class _Message(NamedTuple):
    """The gradients of a bucket of parameters on their way."""

    bucket: list[Tensor]
    values: Tensor
    work: dist.Work

    @classmethod
    def send(cls, gradient: TaskGradient, bucket: list[Tensor],
             dtype: torch.dtype | None) -> _Message:
        values = torch.cat([
            gradient.pop(p).flatten() if p in gradient else p.new_zeros(
                p.numel()) for p in bucket
        ])
        # Before the sum, which a half-precision number may not hold.
        values.div_(get_world_size())
        if dtype is not None and dtype.itemsize < values.dtype.itemsize:
            values = values.to(dtype)
        return cls(bucket, values, dist.all_reduce(values, async_op=True))

    def receive(self) -> Iterator[tuple[Tensor, Tensor]]:
        self.work.wait()
        values = self.values.to(self.bucket[0].dtype)
        parts = values.split([p.numel() for p in self.bucket])
        for parameter, part in zip(self.bucket, parts):
            yield parameter, part.view_as(parameter)


def _reached_anywhere(here: set[Tensor],
                      parameters: Sequence[Tensor]) -> set[Tensor]:
    """Return which parameters are reached on some rank."""
    ranks = _sum_over_ranks([int(p in here) for p in parameters], parameters)
    return {p for p, count in zip(parameters, ranks) if count}


def _sum_over_ranks(numbers: list[int],
                    parameters: Sequence[Tensor]) -> list[int]:
    sums = torch.tensor(numbers, device=_device(parameters))
    dist.all_reduce(sums)
    return sums.tolist()


def _device(parameters: Sequence[Tensor]) -> torch.device | str:
    """Return where a number for the host travels: on the host, where the
    group can do that, since to read from a GPU is to wait for it."""
    on_host = 'cpu:' in dist.get_backend_config()
    return 'cpu' if on_host else parameters[0].device


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
