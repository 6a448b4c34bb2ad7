"""Parts of a config by their names, each built, or checked by signature."""
from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.optim import build_optim_wrapper
from mmengine.registry import HOOKS, MODELS, PARAM_SCHEDULERS, TASK_UTILS
from mmengine.runner import set_random_seed
from mmengine.visualization import Visualizer
from mmpretrain.registry import (DATA_SAMPLERS, DATASETS, MODEL_WRAPPERS,
                                 TRANSFORMS)
from torch.utils.data import DataLoader

from .shrunk_configs import build_without_memory

SGD = dict(type='SGD', lr=0.1)


def build_model(model: dict, base: str, folder: Path) -> torch.nn.Module:
    """In full size, over a base that says what the example does not."""
    if {'backbone', 'model'} & set(model):
        config = Config(dict(model=model, data_preprocessor={}))
    else:
        path = folder / 'example.py'
        path.write_text(f'_base_ = {base!r}\nmodel = {model!r}\n')
        config = Config.fromfile(path)
    return build_without_memory(config)


def build_optimizer(optim_wrapper: dict, model) -> None:
    if 'constructor' not in optim_wrapper:
        optim_wrapper = {'optimizer': SGD, **optim_wrapper}
    build_optim_wrapper(model, optim_wrapper)


def check_arguments(config: Any, *given: str) -> None:
    """Of all that has a type, by its signature: its data may be missing.

    Args:
        config (Any): Where the types are.
        *given (str): What MMEngine gives besides.
    """
    if isinstance(config, (list, tuple)):
        for item in config:
            check_arguments(item)
    if not isinstance(config, dict):
        return
    for value in config.values():
        check_arguments(value)
    if 'type' not in config:
        return
    found = [
        registry.get(config['type'])
        for registry in (DATASETS, DATA_SAMPLERS, TRANSFORMS, MODEL_WRAPPERS)
    ]
    assert any(found), f"{config['type']} is in no registry"
    known, required = arguments_of(next(filter(None, found)))
    names = {*config, *given} - {'type'}
    assert names <= known, f'unknown: {sorted(names - known)}'
    assert names >= required, f'missing: {sorted(required - names)}'


def arguments_of(kind: type) -> tuple[set[str], set[str]]:
    """Those that it takes, and those of them that it needs."""
    known, required = set(), None
    for base in kind.__mro__:
        if '__init__' not in vars(base):
            continue
        parameters = list(
            inspect.signature(base.__init__).parameters.values())[1:]
        known |= {p.name for p in parameters}
        if required is None:
            required = {
                p.name for p in parameters if p.default is p.empty
                and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)
            }
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return known, required or set()


def check_dataloader(config: dict) -> None:
    assert set(config) <= set(inspect.signature(DataLoader).parameters)
    check_arguments(config['dataset'])
    check_arguments(config.get('sampler'), 'dataset')


def check_layers(config: dict | list) -> None:
    with torch.device('meta'):
        for layer in config if isinstance(config, list) else [config]:
            MODELS.build(layer)


def check_uda_head(config: dict) -> None:
    sizes = dict(in_channels=8, num_classes=3)
    known, _ = arguments_of(MODELS.get(config['type']))
    MODELS.build(
        {**{name: sizes[name] for name in known & set(sizes)}, **config})


def check_hooks(config: list) -> None:
    Visualizer.get_instance('examples')  # a hook may look for one
    for hook in config:
        HOOKS.build(hook)


def check_param_scheduler(config: dict) -> None:
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1)
    PARAM_SCHEDULERS.build(config, default_args=dict(optimizer=optimizer))


CHECKS = {
    'backbone': check_layers,
    'neck': check_layers,
    'head': check_layers,
    'data_preprocessor': check_layers,
    'uda_head': check_uda_head,
    'harmonizer': TASK_UTILS.build,
    'custom_hooks': check_hooks,
    'default_hooks': lambda config: check_hooks(list(config.values())),
    'param_scheduler': check_param_scheduler,
    'val_evaluator': Evaluator,
    'test_evaluator': Evaluator,
    'train_dataloader': check_dataloader,
    'val_dataloader': check_dataloader,
    'test_dataloader': check_dataloader,
    'dataset': check_arguments,
    'sampler': lambda config: check_arguments(config, 'dataset'),
    'randomness': lambda config: inspect.signature(set_random_seed).bind(
        **config),
    'model_wrapper_cfg': lambda config: check_arguments(config, 'module'),
}
