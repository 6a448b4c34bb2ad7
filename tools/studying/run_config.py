"""The config of a run of a study."""
from __future__ import annotations

import hashlib
import json

from harmonizer_option import (remove_harmonizer, replace_harmonizer,
                               set_harmonizer)
from mmengine.config import Config

from mmgh.input_error import InputError
from .plan import Run

DATA = ('data_preprocessor', 'val_dataloader', 'val_evaluator',
        'test_dataloader', 'test_evaluator')


def run_config(run: Run) -> Config:
    """Put the method's config on the data of the pair, harmonize it, and let
    the options have the last word."""
    cfg = Config.fromfile(run.config)
    data = Config.fromfile(run.data)
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
    """Return what is equal for configs of equal content."""
    content = json.dumps(cfg.to_dict(), sort_keys=True, default=str)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def iterations(cfg: Config) -> int | None:
    """Return how many iterations the training has, if the config says so."""
    return cfg.train_cfg.get('max_iters')
