"""Reading files of strangers: what they hold is data, of which nothing runs.

A pickle, which weights and some lists of images are, says which functions to
call. Here it may only name those that put tensors, arrays and numbers
together.
"""
from __future__ import annotations

import codecs
import functools
import io
import os
import pickle
import re
from inspect import signature
from types import ModuleType
from typing import Any, Callable
from zipfile import ZipFile, is_zipfile

import torch
from mmengine.fileio.handlers import PickleHandler

from mmgh.compat import has_safe_globals, names_of_checkpoints
from mmgh.input_error import InputError

PLAIN_DATA = 'numbers, text, lists, dicts, tensors and arrays of numbers'
# How torch, and this file, name what a pickle may not name.
_REFUSED = re.compile(r"GLOBAL (\S+) w|, but got <class '([^']+)'>|"
                      r'types of data, but has (\S+), which')


class NotPlainDataError(InputError):
    """Says that a file names what is not read; it may be whole."""


def load_weights(path: str, map_location: Any = None, **options) -> Any:
    """Do as ``torch.load``, and run nothing.

    Up to torch 2.5 its own ``weights_only=True`` cannot read the log in a
    checkpoint of MMEngine.

    Raises:
        pickle.UnpicklingError: If it names what no checkpoint needs.
    """
    if has_safe_globals():
        options.update(weights_only=True)
    else:
        options.update(pickle_module=data_pickle, weights_only=False)
    return torch.load(path, map_location=map_location, **options)


class DataUnpickler(pickle.Unpickler):
    """Refuses a pickle that names other functions than those that put tensors
    and arrays together."""

    def find_class(self, module: str, name: str) -> Any:
        """Return what a pickle names."""
        from torch._weights_only_unpickler import _get_allowed_globals

        # As Python 2 named it; so do the pickles of torch and MMEngine.
        full = f'{module}.{name}'.replace('__builtin__.', 'builtins.', 1)
        for known in (_OWN, names_of_checkpoints(), _get_allowed_globals()):
            if full in known:
                return known[full]
        raise pickle.UnpicklingError(
            f'A file of data should only name types of data, but has {full}, '
            'which is not run.')


class DataPickleHandler(PickleHandler):
    """MMEngine's handler of pickles, which runs nothing of them."""

    def load_from_fileobj(self, file, **kwargs):
        """Read a pickle of plain values, arrays and tensors."""
        return DataUnpickler(file, **kwargs).load()


def load_from_local(filename: str, map_location: Any = None) -> Any:
    """Read a checkpoint for MMEngine's ``CheckpointLoader``.

    Raises:
        FileNotFoundError: If there is no such file.
        InputError: If it is no checkpoint, or damaged.
    """
    filename = os.path.expanduser(filename)
    if not os.path.isfile(filename):
        raise FileNotFoundError(f'{filename} should be a checkpoint, but is '
                                'no file.')
    content = load_checkpoint(filename, map_location)
    if not isinstance(content, dict):
        raise InputError(f'{filename} should be a checkpoint of MMEngine, but '
                         f'is a {type(content).__name__}.')
    return without_code(content)


def load_checkpoint(path: str, map_location: Any = None, **options) -> Any:
    """Do as :func:`load_weights`, and name the file where it fails. Checksums
    in the file are compared, which torch does not.

    Raises:
        InputError: If it is no checkpoint, or damaged.
        NotPlainDataError: If it is whole, but names what is not read.
    """
    try:
        content = load_weights(path, map_location, **options)
    except Exception as error:  # torch names no common type
        refused = _REFUSED.search(f'{error}')
        if refused is None:
            raise InputError(
                f'{path} should be a checkpoint of MMEngine, but reading it '
                f'failed: {_reason(path, error)}') from error
        _check_sums(path)  # damage may look like a name
        raise NotPlainDataError(
            f'{path} should be a checkpoint of {PLAIN_DATA}, but holds '
            f'`{refused[refused.lastindex]}`, which is not plain data'
        ) from error
    _check_sums(path)
    return content


def _check_sums(path: str) -> None:
    damaged = _damaged_part(path)
    if damaged:
        raise InputError(f'{path} should be a checkpoint that is as it was '
                         f'saved, but {damaged} in it has another checksum')


def _damaged_part(path: str) -> str | None:
    if not is_zipfile(path):
        return None
    with ZipFile(path) as file:
        # torch.serialization.set_crc32_options(False) leaves zeros.
        has_sums = any(part.CRC for part in file.infolist())
        return file.testzip() if has_sums else None


def _reason(path: str, error: Exception) -> str:
    if os.path.isfile(path) and not is_zipfile(path):
        with open(path, 'rb') as file:
            beginning = file.read(2)
        if beginning in (b'', b'PK'):
            return 'its end is missing'
    # What torch says before it is longer than what it found.
    text = f'{error}'.split('WeightsUnpickler error: ')[-1]
    text = ' '.join(text.split()).split('. ')[0]
    return f'{type(error).__name__}: {text}'


def without_code(checkpoint: Any) -> Any:
    """Leave out what MMEngine would run as a config when it resumes; it has
    not been written for years."""
    if isinstance(checkpoint, dict) and isinstance(
            checkpoint.get('meta'), dict):
        checkpoint['meta'].pop('config', None)
    return checkpoint


def downloading_data(load_url: Callable) -> Callable:
    """Have MMEngine's ``load_url`` read what it downloads as data: torch
    reads all that it names."""
    options = signature(load_url).parameters
    # Older ones take the default of `torch.load`.
    only = dict(weights_only=True) if 'weights_only' in options else {}

    @functools.wraps(load_url)
    def load_data(*args, **kwargs):
        return without_code(load_url(*args, **{**kwargs, **only}))

    return load_data


def as_data_by_default(load: Callable) -> Callable:
    """Give a ``torch.load`` the default that it has since torch 2.6."""

    @functools.wraps(load)
    def load_data(f, map_location=None, pickle_module=None, **options):
        if pickle_module is None and 'weights_only' not in options:
            pickle_module = data_pickle
        return load(f, map_location, pickle_module, **options)

    return load_data


def _load_tensor(content: bytes) -> Any:
    """Read a tensor within a pickle of another library than torch."""
    return load_weights(io.BytesIO(content), 'cpu')


_OWN = {
    'torch.storage._load_from_bytes': _load_tensor,
    # Of bytes, in pickles of Python 2 and torch.
    '_codecs.encode': codecs.encode,
    **{
        f'builtins.{kind.__name__}': kind
        for kind in (bytearray, bytes, complex, dict, list, set, tuple)
    }
}

data_pickle = ModuleType('data_pickle')
data_pickle.Unpickler = DataUnpickler
data_pickle.load = lambda file, **kwargs: DataUnpickler(file, **kwargs).load()
