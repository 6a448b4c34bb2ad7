"""Names of runs, as tables and legends show them."""
from __future__ import annotations

import json
from pathlib import Path
from typing import Iterable, Sequence, TypeVar

from mmgh.config_text import read_assignments
from mmgh.input_error import InputError

Named = TypeVar('Named')


def run_name(path: str | Path) -> str:
    """Return the name of a work directory; of a checkpoint, such as
    ``dann/iter_500``, with that of its directory.

    Directories of a study are named by the seed: they get the names of pair,
    method and harmonizer, which runs with other seeds share.
    """
    path = Path(path).resolve()
    description = _work_dir(path) / 'run.json'
    if not description.exists():
        return _tail(path, 1)
    run = json.loads(description.read_text(encoding='utf-8'))
    name = f"{run['pair']}, {run['method']}, {run['harmonizer']}"
    return f'{name}, {path.stem}' if path.suffix == '.pth' else name


def setting_names(paths: Sequence[str | Path]) -> list[str]:
    """Return the names of runs, equal for those of one setting, which differ
    by their seeds.

    It is :func:`run_name`. Runs that have one name in several studies, or with
    different configs, are of several settings: their names also say which.

    Raises:
        InputError: If the config of a run cannot be read.
    """
    resolved = [Path(path).resolve() for path in paths]
    plain = list(map(run_name, resolved))
    studies = list(map(_study, resolved))
    configs = list(map(_config_of_setting, resolved))
    names = []
    for name, study, config in zip(plain, studies, configs):
        alike = [i for i, other in enumerate(plain) if other == name]
        several = list(dict.fromkeys(studies[i] for i in alike))
        same = list(dict.fromkeys(
            configs[i] for i in alike if studies[i] == study))
        if len(several) > 1:
            name = f'{_distinct(several)[several.index(study)]}: {name}'
        if len(same) > 1:
            name = f'{name}, config {same.index(config) + 1}'
        names.append(name)
    return names


def distinct_names(paths: Sequence[str | Path]) -> list[str]:
    """Return names of runs, with as many parents as tell them apart; of runs
    of studies, which are named by the seed, what :func:`setting_names` gives,
    and the seed.

    Raises:
        InputError: If a path comes twice.
    """
    resolved = [Path(path).resolve() for path in paths]
    twice = [str(path) for path in paths
             if resolved.count(Path(path).resolve()) > 1]
    if twice:
        raise InputError(f'Each run should be given once, but {twice[0]} '
                         f'comes {len(twice)} times.')
    others = [path for path in resolved if _study(path) is None]
    names = dict(zip(others, _distinct(others)))
    for path, setting in zip(resolved, setting_names(resolved)):
        names.setdefault(path, f'{setting}, seed {_work_dir(path).name}')
    is_distinct = len(set(names.values())) == len(resolved)
    return list(map(names.get, resolved)) if is_distinct else _distinct(
        resolved)


def group_by_name(runs: Iterable[Named]) -> dict[str, list[Named]]:
    """Group the runs of each setting: those with the same ``name``."""
    groups: dict[str, list[Named]] = {}
    for run in runs:
        groups.setdefault(run.name, []).append(run)
    return groups


def _distinct(paths: Sequence[Path]) -> list[str]:
    depth = 1
    while True:
        names = [_tail(path, depth, paths) for path in paths]
        if len(set(names)) == len(names):
            return names
        depth += 1


def _work_dir(path: Path) -> Path:
    return path.parent if path.suffix == '.pth' else path


def _study(path: Path) -> Path | None:
    """Return the folder of the study of a run; None for a run of none."""
    work_dir = _work_dir(path)
    # <study>/<pair>/<method>/<harmonizer>/<seed>
    is_of_study = (work_dir / 'run.json').exists()
    above = [*work_dir.parents][:4]
    return above[-1] if is_of_study else None


def _config_of_setting(path: Path) -> str:
    """Return what runs of one setting in one study have in common; nothing
    for runs of none, which go by their names."""
    file = _work_dir(path) / 'config.py'
    if _study(path) is None or not file.exists():
        return ''
    try:
        cfg = read_assignments(file.read_text(encoding='utf-8'))
    except ValueError as error:
        raise InputError(f'{file} should be the config of a run of a study, '
                         f'but {error}.') from error
    cfg.pop('work_dir', None)
    cfg['randomness'] = dict(cfg.get('randomness') or {}, seed=None)
    return json.dumps(cfg, sort_keys=True, default=str)


def _tail(path: Path, depth: int, others: Sequence[Path] = ()) -> str:
    if path.suffix == '.pth':
        depth += 1
        # A directory of the same name may be beside it.
        if path.with_suffix('') not in others:
            path = path.with_suffix('')
    return '/'.join(path.parts[-depth:])
