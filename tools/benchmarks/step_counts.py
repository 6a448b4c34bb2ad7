"""What a step asks of a device, counted: operations, and reads by the host.

They do not depend on how busy a machine is, and are the same on every CPU.
"""
from __future__ import annotations

from typing import Any, Callable, Iterator

from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

# They look at a part of a tensor, or at a whole one in another way.
_VIEWS = {
    'alias', 'as_strided', 'detach', 'diagonal', 'expand', 'lift_fresh',
    'permute', 'select', 'slice', 'split', 'split_with_sizes', 'squeeze', 't',
    'transpose', 'unbind', 'unsqueeze', 'view', '_reshape_alias',
    '_unsafe_view', 'unfold'
}
_READS = {
    'item', 'tolist', 'numpy', 'cpu', '__array__', '__bool__', '__float__',
    '__int__', '__index__'
}


class OperationCounter(TorchDispatchMode):
    """Counts what runs meanwhile: on a GPU each is a kernel or a few."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        name = operation._schema.name.split('::')[-1]
        # Reads are counted by themselves.
        if name not in _VIEWS and name != '_local_scalar_dense':
            self.count += 1
        return operation(*args, **kwargs or {})


class ReadCounter(TorchFunctionMode):
    """Counts how often the host asks for a value: on a GPU it waits each time.

    What follows from a tensor that was brought to the host by ``cpu()`` is
    there, and its values cost nothing. A CPU has all of them, so that is kept
    in mind here.
    """

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self._on_host: dict[int, Tensor] = {}  # the values keep the ids alive

    def __torch_function__(self, function, types, args=(), kwargs=None):
        result = function(*args, **kwargs or {})
        is_there = any(
            id(tensor) in self._on_host
            for tensor in _tensors((args, tuple((kwargs or {}).values()))))
        is_read = getattr(function, '__name__', '') in _READS
        self.count += is_read and not is_there
        if is_read or is_there:
            self._on_host.update((id(t), t) for t in _tensors(result))
        return result


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from _tensors(item)


def operations(step: Callable[[], None]) -> int:
    """Return how many operations a step starts, views aside."""
    with OperationCounter() as counter:
        step()
    return counter.count


def host_reads(step: Callable[[], None]) -> int:
    """Return how often the host asks for a value in a step."""
    with ReadCounter() as counter:
        step()
    return counter.count
