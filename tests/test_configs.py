"""Every config of the repository builds, and is what its name says."""
from __future__ import annotations

from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.optim import (OptimWrapper, OptimWrapperDict,
                            build_optim_wrapper)
from mmengine.registry import DATASETS, MODELS

from mmgh.optim import GHOptimWrapper

ROOT = Path(__file__).parents[1] / 'configs'
CONFIGS = sorted(ROOT.glob('**/*xb*.py'))
HARMONIZERS = {'gh': 'mmgh.GH', 'ghpp': 'mmgh.GHPlusPlus'}


def load(path: Path) -> Config:
    return Config.fromfile(path)


def suffix_of(path: Path) -> str:
    """'gh' of ``dann-gh_lenet_...``."""
    return path.name.split('_')[0].rsplit('-', 1)[-1]


def harmonized_part(optim_wrapper):
    """Of a model with several optimizers: the one of its features."""
    if isinstance(optim_wrapper, OptimWrapperDict):
        return optim_wrapper['generator']
    if isinstance(optim_wrapper, OptimWrapper):
        return optim_wrapper
    return optim_wrapper.get('generator', optim_wrapper)


def test_there_are_configs():
    assert len(CONFIGS) >= 8


@pytest.mark.parametrize('path', CONFIGS, ids=lambda p: p.stem)
def test_model_and_optim_wrapper_build(path):
    config = load(path)
    for part in config.model.values():  # do not look for a download
        if isinstance(part, dict):
            part.pop('init_cfg', None)
    model = MODELS.build(
        {'data_preprocessor': config.data_preprocessor, **config.model})
    wrapper = build_optim_wrapper(model, config.optim_wrapper)
    assert isinstance(harmonized_part(wrapper), GHOptimWrapper) == (
        suffix_of(path) in HARMONIZERS)


@pytest.mark.parametrize('path', [
    p for p in CONFIGS if suffix_of(p) in HARMONIZERS], ids=lambda p: p.stem)
def test_name_tells_the_harmonizer(path):
    wrapper = harmonized_part(load(path).optim_wrapper)
    assert wrapper.type == 'mmgh.GHOptimWrapper'
    assert wrapper.harmonizer.type == HARMONIZERS[suffix_of(path)]


@pytest.mark.parametrize('path', [
    p for p in CONFIGS if suffix_of(p) in HARMONIZERS], ids=lambda p: p.stem)
def test_harmonized_config_changes_the_optim_wrapper_only(path):
    suffix = suffix_of(path)
    plain = load(path.with_name(path.name.replace(f'-{suffix}_', '_', 1)))
    harmonized = load(path)
    assert harmonized_part(plain.optim_wrapper).pop('type') == 'OptimWrapper'
    # `pairs` says what is harmonized where there are more than two tasks.
    for key in ('type', 'harmonizer', 'pairs'):
        harmonized_part(harmonized.optim_wrapper).pop(key, None)
    assert plain.to_dict() == harmonized.to_dict()


@pytest.mark.parametrize('path', CONFIGS, ids=lambda p: p.stem)
def test_name_tells_batch_size_and_iterations(path):
    config = load(path)
    _, _, size, _ = path.stem.split('_', 3)
    batch, iterations = size.split('xb')[1].split('-')
    assert config.train_dataloader.batch_size == int(batch)
    assert config.train_cfg.max_iters // 1000 == int(iterations.rstrip('k'))


@pytest.mark.parametrize('path', [
    p for p in CONFIGS
    if 'digits' in p.stem and suffix_of(p) not in HARMONIZERS
], ids=lambda p: p.stem)
def test_embedded_data_sets_build(path):
    config = load(path)
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        assert len(DATASETS.build(config[name].dataset)) > 0
