"""What methods of torchjd remember between two calls, as tensors and numbers.

torchjd keeps it in buffers and attributes that ``state_dict`` of a module
leaves out.
"""
from __future__ import annotations

import inspect
from typing import Iterator

import numpy as np
import torch
from torch import Tensor, nn


def memory_of(method: nn.Module) -> dict[str, Tensor | float]:
    """Return the memory of a method by name; empty if it has none."""
    return {
        f'{path}.{name}':
        torch.tensor(value) if isinstance(value, np.ndarray) else value
        for path, module in _stateful(method)
        for name, value in _remembered(module).items()
    }


def load_memory(method: nn.Module, memory: dict[str, Tensor | float]) -> None:
    """Give the memory to a method that was called for as many tasks before."""
    for path, module in _stateful(method):
        for name, value in _remembered(module).items():
            loaded = memory[f'{path}.{name}']
            if isinstance(value, np.ndarray):
                loaded = loaded.numpy().copy()
            elif isinstance(value, Tensor):
                loaded = loaded.to(value).clone()
            setattr(module, name, loaded)


def _stateful(method: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    from torchjd import Stateful
    return ((path, module) for path, module in method.named_modules()
            if isinstance(module, Stateful))


def _remembered(module: nn.Module) -> dict[str, Tensor | np.ndarray | float]:
    """Return all values but the arguments that the module was made with."""
    arguments = inspect.signature(type(module).__init__).parameters
    values = {**vars(module), **module._buffers}
    return {
        name: value
        for name, value in values.items() if name.lstrip('_') not in arguments
        and isinstance(value, (Tensor, np.ndarray, int, float))
        and not isinstance(value, bool)
    }
