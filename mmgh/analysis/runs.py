"""Names of runs, as tables and legends show them."""
from __future__ import annotations

import json
from pathlib import Path
from typing import Iterable, Sequence, TypeVar

from mmgh.input_error import InputError

Named = TypeVar('Named')


def run_name(path: str | Path) -> str:
    """Return the name of a work directory; of a checkpoint, such as
    ``dann/iter_500``, with that of its directory.

    Directories of a study are named by the seed: they get the names of pair,
    method and harmonizer, which runs with other seeds share.
    """
    path = Path(path).resolve()
    checkpoint = path.suffix == '.pth'
    description = (path.parent if checkpoint else path) / 'run.json'
    if not description.exists():
        return _tail(path, 1)
    run = json.loads(description.read_text(encoding='utf-8'))
    name = f"{run['pair']}, {run['method']}, {run['harmonizer']}"
    return f'{name}, {path.stem}' if checkpoint else name


def distinct_names(paths: Sequence[str | Path]) -> list[str]:
    """Return names of runs, with as many parents as tell them apart.

    Raises:
        InputError: If a path comes twice.
    """
    resolved = [Path(path).resolve() for path in paths]
    twice = [str(path) for path in paths
             if resolved.count(Path(path).resolve()) > 1]
    if twice:
        raise InputError(f'Each run should be given once, but {twice[0]} '
                         f'comes {len(twice)} times.')
    depth = 1
    while True:
        names = [_tail(path, depth, resolved) for path in resolved]
        if len(set(names)) == len(names):
            return names
        depth += 1


def group_by_name(runs: Iterable[Named]) -> dict[str, list[Named]]:
    """Group the runs of each setting: those with the same ``name``."""
    groups: dict[str, list[Named]] = {}
    for run in runs:
        groups.setdefault(run.name, []).append(run)
    return groups


def _tail(path: Path, depth: int, others: Sequence[Path] = ()) -> str:
    if path.suffix == '.pth':
        depth += 1
        # A directory of the same name may be beside it.
        if path.with_suffix('') not in others:
            path = path.with_suffix('')
    return '/'.join(path.parts[-depth:])
