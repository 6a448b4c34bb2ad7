"""A checkpoint holds data alone, so that reading it runs nothing."""
from __future__ import annotations

import io
import pickle
from types import ModuleType
from typing import Any, Iterator, Mapping

import numpy as np
import torch
from mmengine.config import ConfigDict
from torch import Tensor

from mmgh.input_error import InputError
from mmgh.untrusted_files import PLAIN_DATA, load_weights

# Stands for tensors, which take long. Those of torch can be read, but for the
# shards of some strategies, with which a training goes on all the same.
_EMPTY = torch.empty(0, device='cpu').__reduce_ex__(2)


def check_plain_data(checkpoint: Mapping) -> None:
    """Refuse a checkpoint that could be saved, but not be read again.

    All but its weights is written to memory and read back.

    Args:
        checkpoint (Mapping): What is to be saved.

    Raises:
        InputError: If there is more than plain data; it names the place, such
            as ``message_hub.runtime_info.mine``, and the type.
    """
    error = _error_of(checkpoint)
    if error is None:
        return
    place, value = _refused_part(checkpoint)
    what = f'its `{place}`' if place else 'it'
    raise InputError(
        f'A checkpoint should be of {PLAIN_DATA}, as nothing else is read '
        f'when a training is resumed or tested, but {what} is a '
        f'`{_kind(value)}`. Turn it into plain data where it is put there, '
        'for example by `list`, `float` or `str`. This checkpoint was not '
        'saved; earlier ones are as they were.') from error


def with_plain_dicts(value: Any) -> Any:
    """Return a value with a dict for each ``ConfigDict``, which MMEngine makes
    of the dicts in a config."""
    if type(value) in (dict, ConfigDict):
        return {key: with_plain_dicts(part) for key, part in value.items()}
    if type(value) in (list, tuple):
        return type(value)(map(with_plain_dicts, value))
    return value


class _Pickler(pickle.Pickler):
    """Leaves out what is in tensors and arrays."""

    def reducer_override(self, value: Any) -> Any:
        """Say how to pickle a value."""
        package = type(value).__module__.split('.')[0]
        if isinstance(value, Tensor) and package == 'torch':
            return _EMPTY
        if type(value) is np.ndarray and not value.dtype.hasobject:
            return np.zeros(1, value.dtype).__reduce__()
        return NotImplemented


_pickle = ModuleType('pickle_without_weights')
_pickle.Pickler = _Pickler


def _error_of(value: Any) -> Exception | None:
    """Return what saving a value, or reading it again, raises."""
    file = io.BytesIO()
    try:
        torch.save(value, file, pickle_module=_pickle)
        file.seek(0)
        load_weights(file, 'cpu')
    except Exception as error:  # of a type of anybody's
        return error
    return None


def _refused_part(value: Any) -> tuple[str, Any]:
    """Return the innermost part that is not read, and its place."""
    names, seen = [], set()
    while True:
        seen.add(id(value))
        for name, part in _parts(value):
            if id(part) not in seen and _error_of(part) is not None:
                names.append(name)
                value = part
                break
        else:
            return '.'.join(names), value


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield f'{key}', part
            yield f'{key}', key  # which may be no text, either
    elif isinstance(value, (list, tuple, set, frozenset)):
        for index, part in enumerate(value):
            yield f'{index}', part


def _kind(value: Any) -> str:
    kind = type(value)
    name = f'{kind.__module__}.{kind.__qualname__}'
    if isinstance(value, np.ndarray):
        name += f' of {value.dtype}'
    return name[len('builtins.'):] if name.startswith('builtins.') else name
