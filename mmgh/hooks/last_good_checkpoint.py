from __future__ import annotations

import warnings
from pathlib import Path
from typing import Collection, Iterable, Iterator, Mapping

import torch
from torch import Tensor

from mmgh.checkpoints import read_on_disk
from mmgh.divergence import diverged_tensors
from mmgh.input_error import InputError
from mmgh.untrusted_files import NotPlainDataError


def last_good_checkpoint(folders: Iterable[Path],
                         parameters: Collection[str]) -> Path | None:
    """Find the checkpoint saved last from which a training can go on.

    Args:
        folders (Iterable[Path]): Where to look.
        parameters (Collection[str]): Names of those of the model.

    One that holds more than plain data is skipped with a warning.

    Returns:
        Path | None: A file that can be read, and has finite weights and the
        state of the optimizer; None without any.
    """
    files = [path for folder in folders for path in folder.glob('*.pth')]
    files.sort(key=lambda path: path.stat().st_mtime_ns, reverse=True)
    return next((path for path in files if _is_good(path, parameters)), None)


def _is_good(path: Path, parameters: Collection[str]) -> bool:
    try:
        checkpoint = read_on_disk(path)
    except NotPlainDataError as error:
        warnings.warn(f'{error}. It is skipped.', stacklevel=4)
        return False
    except InputError:  # half of one, or none
        return False
    if 'optimizer' not in checkpoint or diverged_tensors(
            checkpoint['state_dict'], parameters):
        return False
    state = dict(enumerate(_tensors(checkpoint['optimizer'])))
    return not diverged_tensors(state, state)


def _tensors(node: object) -> Iterator[Tensor]:
    if torch.is_tensor(node):
        yield node
    elif isinstance(node, Mapping):
        for value in node.values():
            yield from _tensors(value)
