"""Where the checkpoints of a run are, also after it was moved."""
from __future__ import annotations

from pathlib import Path

from mmengine.hooks import CheckpointHook

from mmgh.checkpoints import newest_checkpoint


def find_checkpoint(runner) -> Path | None:
    """Find the newest whole checkpoint of a run that is to be resumed.

    Returns:
        Path | None: None if it has not saved any.

    Raises:
        FileNotFoundError: If there are some, but none is whole: training
            should not silently begin anew.
    """
    for folder in dict.fromkeys([Path(runner.work_dir), _folder(runner)]):
        pointer = folder / 'last_checkpoint'
        text = pointer.read_text().strip() if pointer.is_file() else ''
        if '://' in text:  # not of this machine
            return None
        if text or any(folder.glob('*.pth')):
            return newest_checkpoint(folder)
    return None


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
