"""Where the checkpoints of a run are, also after it was moved."""
from __future__ import annotations

import logging
from pathlib import Path
from typing import Mapping

from mmengine.hooks import CheckpointHook
from mmengine.logging import print_log

from mmgh.checkpoints import named_checkpoint, newest_checkpoint
from mmgh.input_error import InputError


def find_checkpoint(runner) -> Path | None:
    """Find the newest checkpoint of a run that is to be resumed.

    Returns:
        Path | None: None if it has not saved any.

    Raises:
        FileNotFoundError: If there are some, but none can be read:
            training should not silently begin anew.
    """
    for folder in dict.fromkeys([Path(runner.work_dir), _folder(runner)]):
        text = named_checkpoint(folder)
        if '://' in text:  # not of this machine
            return None
        if text or any(folder.glob('*.pth')):
            return newest_checkpoint(folder)
    return None


def check_resumable(checkpoint: Mapping, path: str | None) -> None:
    """Refuse weights alone, and warn of a training without its optimizer.

    Args:
        checkpoint (Mapping): To resume from.
        path (str, optional): Of its file, in messages.

    Raises:
        InputError: If it is of no training.
    """
    meta = checkpoint.get('meta') or {}
    if not {'iter', 'epoch'} <= set(meta) or 'message_hub' not in checkpoint:
        raise InputError(
            f'{path} should be a checkpoint of a training where it is '
            'resumed, but has no state of one. To begin with its weights, '
            'set `load_from`, and no --resume.')
    if 'optimizer' not in checkpoint:
        print_log(
            f'{path} has no state of the optimizer, which begins anew: the '
            'resumed run is not what an uninterrupted one would be.',
            logger='current',
            level=logging.WARNING)


def earlier_checkpoints(runner) -> list[Path]:
    """Return the checkpoints that are where a run saves, oldest first."""
    files = [path for path in _folder(runner).glob('*.pth') if path.is_file()]
    return sorted(files, key=lambda path: path.stat().st_mtime_ns)


def paths_moved(runner, info: dict) -> dict:
    """Return what the message hub knows, with the checkpoints that it names in
    the folder of this run.

    ``CheckpointHook`` deletes some of them, which should not be those of the
    run that this one was copied from.
    """
    folder = _folder(runner)
    return {
        name: str(folder / Path(value).name)
        if name.startswith(('best_ckpt', 'last_ckpt')) and value else value
        for name, value in info.items()
    }


def _folder(runner) -> Path:
    """Return where ``CheckpointHook`` saves."""
    work_dir = Path(runner.work_dir)
    for hook in runner.hooks:
        if isinstance(hook, CheckpointHook) and hook.out_dir is not None:
            # It replaces what the config says by this when training begins.
            folder = Path(hook.out_dir)
            return folder if folder == work_dir else folder / work_dir.name
    return work_dir
