"""Finding and reading the checkpoints of a run."""
from __future__ import annotations

import re
import sys
import warnings
from pathlib import Path
from typing import Iterable, Iterator, Mapping, NamedTuple
from zipfile import is_zipfile

import torch
from torch import Tensor

from mmgh.input_error import InputError
from mmgh.untrusted_files import load_checkpoint

# What `save_best` keeps by a metric that needs no target labels.
_CHOSEN = re.compile(
    r'best_(?:unsupervised|source)_.*_(?:iter|epoch)_(\d+)\.pth')
# Those of `save_best` are no steps of the training.
_NUMBERED = re.compile(r'(?!best_)\D*(\d+)\.pth')


class _Readable(NamedTuple):
    """A checkpoint that can be read to its end."""

    path: Path
    saved: tuple[str, int]
    """When, by the clock and in iterations."""


def newest_checkpoint(work_dir: str | Path) -> Path:
    """Find the newest checkpoint of a run that can be read, also where the run
    was moved.

    It is the one that ``last_checkpoint`` names; a later one, if the run was
    stopped before it was named; an earlier one, if that cannot be read. A
    later one that was saved before it is of another training in the same
    directory. What is damaged, or holds more than plain data, is skipped with
    a warning that names it.

    Raises:
        FileNotFoundError: If there is none.
    """
    work_dir = Path(work_dir)
    named = _named(work_dir)
    steps = _steps(named.parent if named else work_dir)
    last = steps.get(named, max(steps.values(), default=0))
    later = [path for path, step in steps.items() if step > last]
    earlier = [path for path, step in steps.items() if step <= last]
    if named and named not in steps:  # by a name of the user's
        earlier.insert(0, named)
    unread: list[InputError] = []
    found = next(_readable(earlier, unread), None)
    for checkpoint in _readable(later, unread):
        if found is None or checkpoint.saved >= found.saved:
            return checkpoint.path
    if found is None:
        raise FileNotFoundError(_none_in(work_dir, unread))
    return found.path


def checkpoint_of(work_dir: str | Path) -> Path:
    """Find the checkpoint that stands for a run: what it chose by a metric
    without target labels, if ``save_best`` kept one, else the newest.

    It is told on stderr, with what else there is. Where several metrics chose
    different ones the newest stands for the run, and each can be named.

    Raises:
        FileNotFoundError: If there is none that can be read.
    """
    chosen, *others = chosen_checkpoints(work_dir) or [None]
    if chosen is None or others:
        path, why = newest_checkpoint(work_dir), 'the newest one'
    else:
        path, why = chosen, 'chosen without target labels'
    if others:
        names = ', '.join(each.name for each in (chosen, *others))
        why += f'; metrics without target labels chose {names}'
    print(f'Checkpoint: {path} ({why})', file=sys.stderr)  # no result
    return path


def chosen_checkpoints(work_dir: str | Path) -> list[Path]:
    """Find what ``save_best`` kept by metrics that need no target labels:
    those of :class:`mmgh.evaluation.UnsupervisedMetric` and of the source.
    Those of an earlier training in the same directory do not count.

    What cannot be read is skipped with a warning.
    """
    paths = sorted(path for path in Path(work_dir).glob('best_*.pth')
                   if _CHOSEN.fullmatch(path.name))
    found = list(_readable(paths, []))
    return _of_last_training(found, Path(work_dir)) if found else []


def _of_last_training(chosen: list[_Readable],
                      work_dir: Path) -> list[Path]:
    """Leave out what was saved before the newest checkpoint, unless that one
    names it: a training notes what it chose, also where it goes on."""
    try:
        with warnings.catch_warnings():
            # What is damaged is told by whoever reads it.
            warnings.simplefilter('ignore')
            newest = read_on_disk(newest_checkpoint(work_dir))
    except FileNotFoundError:  # nothing says that there was another one
        newest = {}
    if 'message_hub' not in newest:  # nor does one without notes
        return [checkpoint.path for checkpoint in chosen]
    notes = newest['message_hub'].get('runtime_info') or {}
    named = {Path(str(value)).name for key, value in notes.items()
             if key.startswith('best_ckpt')}
    return [path for path, saved in chosen
            if path.name in named or saved >= _saved(newest)]


def _saved(content: dict) -> tuple[str, int]:
    """Return when a checkpoint was saved, by the clock and in iterations."""
    meta = content.get('meta') or {}
    return meta.get('time', ''), meta.get('iter', 0)


def step_of_chosen(path: Path) -> int:
    """Return the step of the log, an iteration or an epoch, at which a
    checkpoint was chosen."""
    return int(_CHOSEN.fullmatch(path.name)[1])


def read_checkpoint(path: str | Path, **options) -> dict:
    """Read a checkpoint into the memory of the CPU, and run nothing of it.

    Args:
        path (str | Path): The file.
        **options: Of ``torch.load``.

    Raises:
        InputError: If it is none, damaged, or more than plain data.
    """
    content = load_checkpoint(str(path), 'cpu', **options)
    return content if isinstance(content, dict) else {}


def read_on_disk(path: str | Path) -> dict:
    """Do as :func:`read_checkpoint`, and leave the weights on the disk.

    Raises:
        InputError: If it is none, damaged, or more than plain data.
    """
    # A file that was cut has no index.
    return read_checkpoint(path, mmap=is_zipfile(path))


def check_finite(weights: Mapping[str, Tensor], path: str | Path) -> None:
    """Refuse weights that are infinite or NaN; those of a UDA head, which
    predicts nothing, do not count.

    Args:
        weights (Mapping[str, Tensor]): By name.
        path (str | Path): Of their file, in the message.

    Raises:
        InputError: If there are such weights.
    """
    broken = [
        name for name, value in weights.items()
        if not name.startswith('uda_head.') and torch.is_tensor(value)
        and not value.isfinite().all()
    ]
    if broken:
        raise InputError(
            f'{path} should give finite outputs, but has infinite or NaN '
            f'weights, {len(broken)} of {len(weights)}, such as {broken[0]}: '
            'the training diverged.')


def named_checkpoint(folder: Path) -> str:
    """Return the path in ``last_checkpoint`` of a folder, empty without one:
    a computer that lost its power may have left zeros there."""
    pointer = folder / 'last_checkpoint'
    if not pointer.is_file():
        return ''
    text = pointer.read_text(errors='replace').strip()
    return text if text.isprintable() and '\ufffd' not in text else ''


def _named(work_dir: Path) -> Path | None:
    """Return what ``last_checkpoint`` names, in this directory first: the
    other one may be that which the run was copied from."""
    text = named_checkpoint(work_dir)
    if not text:
        return None
    here, elsewhere = work_dir / Path(text).name, Path(text)
    # `CheckpointHook.out_dir` leaves none in this directory.
    is_elsewhere = not here.exists() and not _steps(work_dir)
    return elsewhere if is_elsewhere and elsewhere.is_file() else here


def _steps(folder: Path) -> dict[Path, int]:
    """Return the checkpoints of a folder and their numbers, highest first."""
    numbered = ((path, _NUMBERED.fullmatch(path.name))
                for path in folder.glob('*.pth') if path.is_file())
    steps = {path: int(match[1]) for path, match in numbered if match}
    return dict(sorted(steps.items(), key=lambda item: -item[1]))


def _readable(paths: Iterable[Path],
              unread: list[InputError]) -> Iterator[_Readable]:
    """Yield what can be read, and note why the rest cannot."""
    for path in paths:
        try:
            content = read_on_disk(path)
        except InputError as error:
            warnings.warn(f'{error}. It is skipped.', stacklevel=4)
            unread.append(error)
            continue
        yield _Readable(path, _saved(content))


def _none_in(work_dir: Path, unread: list[InputError]) -> str:
    others = sorted(str(path) for path in work_dir.glob('*.pth'))
    hint = f" Its files are {', '.join(others)}." if others else ''
    why = f' {unread[0]}.' if unread else ''
    return (f'{work_dir} should be the work directory of a run with a '
            'checkpoint, but has no `last_checkpoint` that can be read, and '
            f'no other one.{hint}{why}')
