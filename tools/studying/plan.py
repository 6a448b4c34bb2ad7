"""Which runs a study consists of, and the config of each."""
from __future__ import annotations

import hashlib
import json
import re
from itertools import product
from pathlib import Path
from typing import NamedTuple

from mmengine.config import Config

from mmgh.input_error import InputError

AXES = ('pairs', 'methods', 'harmonizers', 'seeds')
# What an entry of each axis may say.
ENTRIES = dict(
    pairs=('config', 'options'),
    methods=('config', 'options', 'harmonizers'),
    harmonizers=('suffix', 'options'))
DATA = ('data_preprocessor', 'val_dataloader', 'val_evaluator',
        'test_dataloader', 'test_evaluator')


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
    options: dict
    """What changes in the config, as for `--cfg-options`."""
    baseline: str
    """Name of the harmonizer that the others are compared with."""
    metric: str

    @property
    def folder(self) -> Path:
        names = self.pair, self.method, self.harmonizer, str(self.seed)
        return Path(*(re.sub(r'[^\w+.-]+', '_', name) for name in names))

    @property
    def description(self) -> dict:
        """What the result says of the run besides what was measured."""
        return dict(
            pair=self.pair,
            method=self.method,
            harmonizer=self.harmonizer,
            seed=self.seed,
            baseline=self.baseline,
            config=self.config.name,
            data=self.data.name,
            options=' '.join(f'{k}={v}' for k, v in self.options.items()),
            metric=self.metric)


def plan(path: Path, chosen: dict | None = None) -> list[Run]:
    """List all runs of a study, or those of the chosen names and seeds.

    Args:
        path: Config of the study; configs/studies/digits.py explains it.
        chosen: Names or seeds by axis; all where there are none.

    Raises:
        FileNotFoundError: If the study, or a config that it names, is not
            there.
        InputError: If the study cannot be run as it is meant.
    """
    if not path.exists():
        raise FileNotFoundError(f'There is no {path}.')
    study = Config.fromfile(path)
    check_names(path, study)
    chosen = chosen or {}
    axes = {}
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
    if study.baseline not in study.harmonizers:
        raise InputError(f'`baseline` of {path} should be among the '
                         f'`harmonizers` {list(study.harmonizers)}, but got '
                         f'{study.baseline!r}.')


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
    return study.methods[method].get('harmonizers', list(study.harmonizers))


def make_run(study: Config, folder: Path, seed: int, pair: str, method: str,
             harmonizer: str) -> Run:
    parts = (study, study.pairs[pair], study.methods[method],
             study.harmonizers[harmonizer])
    config = folder / study.methods[method].config
    suffix = study.harmonizers[harmonizer].get('suffix', '')
    options = {}
    for part in parts:
        options.update(part.get('options', {}))
    return Run(pair, method, harmonizer, seed, with_suffix(config, suffix),
               folder / study.pairs[pair].config, options, study.baseline,
               study.get('metric', 'accuracy/top1'))


def with_suffix(config: Path, suffix: str) -> Path:
    """Return ``dann-gh_lenet.py`` for ``dann_lenet.py`` and ``'-gh'``."""
    method, *rest = config.stem.split('_')
    return config.with_name('_'.join([method + suffix, *rest]) + '.py')


def run_config(run: Run) -> Config:
    """Put the method's config on the data of the pair."""
    cfg = Config.fromfile(run.config)
    data = Config.fromfile(run.data)
    for key in DATA:
        cfg[key] = data[key]
    pair = data.train_dataloader.dataset
    loader = cfg.train_dataloader
    on_both = loader.dataset.type == pair.type
    loader.dataset = pair if on_both else pair.source
    cfg.merge_from_dict({**run.options, 'randomness.seed': run.seed})
    return cfg


def config_hash(cfg: Config) -> str:
    """Return what is equal for configs of equal content."""
    content = json.dumps(cfg.to_dict(), sort_keys=True, default=str)
    return hashlib.sha256(content.encode()).hexdigest()[:16]
