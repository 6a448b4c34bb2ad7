"""The config of a run of a study."""
from __future__ import annotations

import hashlib
import json

from harmonizer_option import (remove_harmonizer, replace_harmonizer,
                               set_harmonizer)
from mmengine.config import Config

from mmgh.config_file import read_config
from mmgh.input_error import InputError
from .plan import Run
from .results import names

DATA = ('data_preprocessor', 'val_dataloader', 'val_evaluator',
        'test_dataloader', 'test_evaluator')
# What watches, tells and keeps a training, and does not change it.
WATCHING = ('default_hooks', 'env_cfg', 'log_level', 'log_processor',
            'visualizer')


def run_config(run: Run) -> Config:
    """Put the method's config on the data of the pair, harmonize it, and let
    the options have the last word."""
    cfg, data = read_config(run.config), read_config(run.data)
    for key in DATA:
        cfg[key] = data[key]
    pair = data.train_dataloader.dataset
    loader = cfg.train_dataloader
    on_both = loader.dataset.type == pair.type
    loader.dataset = pair if on_both else pair.source
    harmonize(cfg, run)
    cfg.merge_from_dict({**run.options, 'randomness.seed': run.seed})
    return cfg


def harmonize(cfg: Config, run: Run) -> None:
    """Do what the harmonizer's entry says."""
    try:
        if run.replaced == 'none':
            remove_harmonizer(cfg.optim_wrapper)
        elif isinstance(run.replaced, str):
            set_harmonizer(cfg, run.replaced, {})
        elif run.replaced is not None:
            replace_harmonizer(cfg, run.replaced)
    except InputError as error:
        raise InputError(f'`harmonizers[{run.harmonizer!r}]` with the method '
                         f'{run.method!r} {error}') from error


def config_hash(cfg: Config) -> str:
    """Return what is equal for configs of equal trainings."""
    training = {
        key: value
        for key, value in cfg.to_dict().items() if key not in WATCHING
    }
    content = json.dumps(training, sort_keys=True, default=str)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def describe(run: Run, cfg: Config) -> dict:
    """Return the description of the run, with what tells configs apart."""
    return {**run.description, 'config_hash': config_hash(cfg)}


def without_other_configs(results: list[dict], runs: list[Run]) -> list[dict]:
    """Leave out results that have the names of a setting but not its config:
    none of its seeds should be of another.

    Args:
        results: Of any seeds.
        runs: Of the settings; other settings' results are not looked at.
    """
    settings = {run[:3]: run for run in runs}
    kept = []
    for result in results:
        *setting, seed = names(result)
        run = settings.get(tuple(setting))
        if run:
            run = run._replace(seed=seed)
            described = describe(run, run_config(run))
        if not run or all(
                result.get(name) == described[name]
                for name in ('baseline', 'metric', 'config_hash')):
            kept.append(result)
    return kept


def iterations(cfg: Config) -> int | None:
    """Return how many iterations the training has, if the config says so."""
    return cfg.train_cfg.get('max_iters')
