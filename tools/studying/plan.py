"""Which runs a study consists of."""
from __future__ import annotations

import re
from itertools import product
from pathlib import Path
from typing import NamedTuple

from mmengine.config import Config

from mmgh.config_file import read_config
from mmgh.config_place import find_config
from mmgh.input_error import InputError

AXES = ('pairs', 'methods', 'harmonizers', 'seeds')
# What an entry of each axis may say.
ENTRIES = dict(
    pairs=('config', 'options'),
    methods=('config', 'options', 'harmonizers', 'of', 'strength'),
    harmonizers=('suffix', 'harmonizer', 'options'))
# Name of the control that is in every study unless it says `null = False`: a
# training that differs from the baseline by roundings only.
NULL = 'null'
NULL_HARMONIZER = dict(type='mmgh.Constant', weights=dict(alignment=1.001))


class Run(NamedTuple):
    """One training."""

    pair: str
    method: str
    harmonizer: str
    seed: int
    config: Path
    """Of the method, harmonized or not."""
    data: Path
    """The base config of the domain pair."""
    replaced: dict | str | None
    """What harmonizes instead of the config's: a harmonizer's config or name,
    or none; None where nothing is said."""
    options: dict
    """What changes in the config, as for `--cfg-options`."""
    baseline: str
    """Name of the harmonizer that the others are compared with."""
    metric: str
    scale: float
    """What the metric is multiplied by, to be told as percent."""
    variant: dict
    """Where the method is one with its alignment made stronger or weaker: the
    name `of` the method, and the `strength`, which is 1 as it was tuned."""

    @property
    def folder(self) -> Path:
        names = self.pair, self.method, self.harmonizer, str(self.seed)
        return Path(*(re.sub(r'[^\w+.-]+', '_', name) for name in names))

    @property
    def description(self) -> dict:
        """What the result says of the run besides what was measured."""
        options = dict(self.options)
        if self.replaced is not None:
            options = {'harmonizer': self.replaced, **options}
        return dict(
            pair=self.pair,
            method=self.method,
            harmonizer=self.harmonizer,
            seed=self.seed,
            baseline=self.baseline,
            config=self.config.name,
            data=self.data.name,
            options=' '.join(f'{k}={v}' for k, v in options.items()),
            metric=self.metric,
            **({} if self.scale == 1 else dict(scale=self.scale)),
            **self.variant)


def plan(path: Path, chosen: dict | None = None) -> list[Run]:
    """List all runs of a study, or those of the chosen names and seeds.

    Args:
        path: Config of the study, for `find_config`;
            configs/studies/digits.py explains it.
        chosen: Names by axis, and any seeds; all of the study where there
            are none.

    Raises:
        FileNotFoundError: If the study, or a config that it names, is not
            there.
        InputError: If the study cannot be run as it is meant.
    """
    path = find_config(path)
    study = read_config(path)
    check_names(path, study)
    add_null(study)
    chosen = chosen or {}
    axes = {}
    if chosen.get('seeds'):
        study.seeds = list(dict.fromkeys(chosen['seeds']))
    for axis in AXES:
        there = list(study[axis])
        wanted = chosen.get(axis) or there
        unknown = [name for name in wanted if name not in there]
        if unknown:
            raise InputError(f'`{axis}` should be among {there}, but got '
                             f'{unknown}.')
        axes[axis] = [name for name in there if name in wanted]
    runs = [
        make_run(study, path.parent, *names)
        for names in product(axes['seeds'], axes['pairs'], axes['methods'],
                             axes['harmonizers'])
        if names[3] in harmonizers_of(study, names[2])
    ]
    check(path, runs, axes)
    return runs


def check_names(path: Path, study: Config) -> None:
    """Refuse a study with wrong names: a setting that is not read would
    give its name to runs without it."""
    for name in (*AXES, 'baseline'):
        if name not in study:
            raise InputError(f'{path} should be a study with `{name}`, but '
                             f'has {sorted(study.keys())}.')
    for axis, known in ENTRIES.items():
        for name, entry in study[axis].items():
            unknown = sorted(set(entry) - set(known))
            if unknown:
                raise InputError(f'`{axis}[{name!r}]` of {path} should have '
                                 f'some of {known}, but got {unknown}.')
            if 'config' in known and 'config' not in entry:
                raise InputError(f'`{axis}[{name!r}]` of {path} should have '
                                 'a `config`, but has none.')
    for name, entry in study.methods.items():
        variant = variant_of(entry)
        if variant and not (len(variant) == 2 and variant['strength'] > 0):
            raise InputError(f'`methods[{name!r}]` of {path} should have both '
                             '`of` and a `strength` above 0, or none of them, '
                             f'but has {variant}.')
    if study.baseline not in study.harmonizers:
        raise InputError(f'`baseline` of {path} should be among the '
                         f'`harmonizers` {list(study.harmonizers)}, but got '
                         f'{study.baseline!r}.')


def add_null(study: Config) -> None:
    """Put the null control after the baseline, unless the study has its own
    or does without."""
    if not study.get('null', True) or NULL in study.harmonizers:
        return
    entries = {}
    for name, entry in study.harmonizers.items():
        entries[name] = entry
        if name == study.baseline:
            entries[NULL] = dict(harmonizer=NULL_HARMONIZER)
    study.harmonizers = entries


def check(path: Path, runs: list[Run], axes: dict) -> None:
    """Refuse a study that cannot be run as it is meant."""
    if not runs:
        raise InputError(f'{path} has none of the `harmonizers` '
                         f"{axes['harmonizers']} for the `methods` "
                         f"{axes['methods']}.")
    for file in {file for run in runs for file in (run.config, run.data)}:
        if not file.exists():
            raise FileNotFoundError(
                f'{path} names {file}, which does not exist.')
    folders: dict[Path, Run] = {}
    for run in runs:
        other = folders.setdefault(run.folder, run)
        if other is not run:
            raise InputError(
                f'The names {other[:4]} and {run[:4]} in {path} should differ '
                f'in letters or digits: both runs would be in {run.folder}.')


def harmonizers_of(study: Config, method: str) -> list[str]:
    """Name those of a method. What is compared with the baseline is compared
    with the null control, too."""
    names = study.methods[method].get('harmonizers', list(study.harmonizers))
    if study.get('null', True) and set(names) - {study.baseline}:
        return [*names, NULL]
    return names


def make_run(study: Config, folder: Path, seed: int, pair: str, method: str,
             harmonizer: str) -> Run:
    parts = (study, study.pairs[pair], study.methods[method],
             study.harmonizers[harmonizer])
    entry = study.harmonizers[harmonizer]
    options = {}
    for part in parts:
        options.update(part.get('options', {}))
    config = with_suffix(
        Path(study.methods[method].config), entry.get('suffix', ''))
    data = Path(study.pairs[pair].config)
    return Run(pair, method, harmonizer, seed, config_of(folder, config),
               config_of(folder, data), entry.get('harmonizer'), options,
               study.baseline, study.get('metric', 'accuracy/top1'),
               study.get('scale', 1.), variant_of(study.methods[method]))


def variant_of(entry: dict) -> dict:
    return {key: entry[key] for key in ('of', 'strength') if key in entry}


def config_of(folder: Path, config: Path) -> Path:
    """Return the file of ``mmgh::dann/NAME.py``, or of a path that is relative
    to the folder of the study."""
    return find_config(config) if '::' in str(config) else folder / config


def with_suffix(config: Path, suffix: str) -> Path:
    """Return ``dann-gh_lenet.py`` for ``dann_lenet.py`` and ``'-gh'``."""
    method, *rest = config.stem.split('_')
    return config.with_name('_'.join([method + suffix, *rest]) + '.py')
