"""Every config of the repository builds, and is what its name says."""
from __future__ import annotations

import math
from collections import Counter

import pytest
import torch
from mmengine.optim import OptimWrapper, OptimWrapperDict, build_optim_wrapper
from mmengine.registry import DATASETS, HOOKS, PARAM_SCHEDULERS
from mmengine.visualization import Visualizer

from mmgh.classifier_outputs import scores_of
from mmgh.optim import GHOptimWrapper
from .config_names import (AS_PUBLISHED, BACKBONES, CLASSES, CONFIGS,
                           HARMONIZED, HARMONIZERS, METHODS, NAMED, PRETRAINED,
                           PUBLISHED, STUDIED, UNHARMONIZED, domain_of, load,
                           load_twin, parse, plain_of, twin_of)
from .shrunk_configs import (assert_takes_a_step, build_without_memory,
                             harmonized_part, input_shape)

every = pytest.mark.parametrize('path', CONFIGS, ids=lambda p: p.stem)
every_named = pytest.mark.parametrize('path', NAMED, ids=lambda p: p.stem)
every_harmonized = pytest.mark.parametrize(
    'path', HARMONIZED, ids=lambda p: p.stem)


def wrappers_of(optim_wrapper) -> list[OptimWrapper]:
    if isinstance(optim_wrapper, OptimWrapperDict):
        return list(optim_wrapper.values())
    return [optim_wrapper]


def contains(whole, part: dict) -> bool:
    return all(whole.get(key) == value for key, value in part.items())


def test_there_are_configs_and_no_two_of_one_name():
    assert len(NAMED) >= 160
    for method in set(METHODS) - {parse(path).method for path in NAMED}:
        folder = method.replace('-', '_')
        raise AssertionError(
            f'Add configs/{folder}/{method}_lenet_1xb32-1k_digits-'
            'digits2digitsm.py: this method has no config.')
    counts = Counter(path.stem for path in CONFIGS)
    assert [name for name, count in counts.items() if count > 1] == []


@every_named
def test_name_tells_the_method(path):
    config, name = load(path), parse(path)
    model, head, options = METHODS[name.method]
    uda_head = config.model.get('uda_head')
    assert config.model.type == model
    assert contains(config.model, options)
    assert uda_head is None if head is None else (
        uda_head.type == f'mmgh.{head}')
    if head in ('DANNHead', 'CDANHead'):
        assert bool(uda_head.get('entropy')) == name.method.endswith('-e')


@every_named
def test_name_tells_the_backbone(path):
    backbone, name = load(path).model.backbone, parse(path).backbone
    assert contains(backbone, BACKBONES[name])
    checkpoint = backbone.get('init_cfg', {}).get('checkpoint', '')
    assert PRETRAINED.get(name, '') in checkpoint
    assert bool(checkpoint) == (name in PRETRAINED)


@every_named
def test_name_tells_batch_size_and_iterations(path):
    config, name = load(path), parse(path)
    assert name.gpus == 1
    assert config.train_dataloader.batch_size == name.batch
    iterations = config.train_cfg.max_iters
    assert (iterations // 1000 or iterations / 1000) == name.iters


@pytest.mark.parametrize(
    'path', [p for p in NAMED if parse(p).method != 'multi-task'],
    ids=lambda p: p.stem)
def test_name_tells_the_domains(path):
    config = load(path)
    dataset, source, target = parse(path).domains
    pair = config.train_dataloader.dataset
    if pair.type == 'mmgh.DomainPairDataset':
        assert domain_of(pair.target) == (dataset, target)
        pair = pair.source
    assert domain_of(pair) == (dataset, source)
    for kind in ('val', 'test'):
        tested = config[f'{kind}_dataloader'].dataset
        if tested.type == 'mmgh.DomainConcatDataset':
            assert domain_of(tested.source) == (dataset, source)
            tested = tested.target
        assert domain_of(tested) == (dataset, target)
    assert config.model.head.num_classes == CLASSES[dataset]


@every_named
def test_name_tells_that_no_target_label_chooses_a_checkpoint(path):
    checkpoint = load(path).default_hooks.checkpoint
    assert ('save_best' in checkpoint) == path.stem.endswith('without-labels')
    assert checkpoint.get('save_best', 'unsupervised/').startswith(
        'unsupervised/')


@every_harmonized
def test_name_tells_the_harmonizer(path):
    wrapper = load(path).optim_wrapper
    assert wrapper.type == 'mmgh.GHOptimWrapper'
    kind, _, published = parse(path).harmonizer.partition('-')
    assert wrapper.harmonizer.type == HARMONIZERS[kind]
    assert (wrapper.harmonizer.get('form') == 'published') == (
        kind == 'ghpp' and bool(published))
    assert (wrapper.get('max_weight') == math.inf) == bool(published)


@every_harmonized
def test_harmonized_config_changes_the_optim_wrapper_only(path):
    """And what else the published code does, if it is to be as that."""
    plain, harmonized = load(plain_of(path)), load_twin(path)
    if path in AS_PUBLISHED:
        plain.merge_from_dict(PUBLISHED[parse(path).method])
        for key in ('max_weight', 'shared', 'apply_to'):
            harmonized.optim_wrapper.pop(key, None)
    assert harmonized_part(plain.optim_wrapper).type == 'OptimWrapper'
    plain.optim_wrapper.pop('type', None)
    for key in ('type', 'harmonizer'):
        harmonized.optim_wrapper.pop(key)
    assert plain.to_dict() == harmonized.to_dict()


def test_harmonized_twins_are_where_they_should_be():
    """Of each config of the study of GH, and besides on digits only; all
    others have the option of train.py."""
    plain = [
        path for path in NAMED if path not in HARMONIZED
        and parse(path).method not in UNHARMONIZED
        and path.parent.name != 'features'  # for studies, no recipes
        # An example of something else, which has one twin.
        and not path.stem.endswith('without-labels')
    ]
    for suffix in HARMONIZERS:
        for path in plain:
            if parse(path).method in STUDIED:
                assert twin_of(path, suffix) in HARMONIZED
    for path in HARMONIZED:
        method = parse(path).method
        assert method in {*STUDIED, *PUBLISHED} or 'digits' in path.stem


def test_published_twins_are_of_the_recipes_of_the_study():
    """DANN on photographs by the recipe of GH, not by that of TLlib."""
    plain = [
        path for path in NAMED if path not in HARMONIZED
        and parse(path).method in PUBLISHED and path.parent.name != 'features'
        and not path.stem.endswith('without-labels')
        and not path.stem.startswith(('dann_resnet50_1xb32', 'dann_resnet101'))
    ]
    twins = {
        twin_of(path, f'{kind}-published')
        for path in plain for kind in HARMONIZERS
    }
    assert set(AS_PUBLISHED) == twins


# The harmonized ones have the same model, hooks and schedule, see above.
@pytest.mark.parametrize(
    'path', [p for p in CONFIGS if p not in HARMONIZED], ids=lambda p: p.stem)
def test_all_parts_build_in_full_size(path):
    config = load(path)
    model = build_without_memory(config)
    if hasattr(model, 'extract_feat'):
        inputs = torch.zeros(2, *input_shape(config), device='meta')
        scores = scores_of(model.head, model.extract_feat(inputs))
        assert scores.shape == (2, config.model.head.num_classes)
    wrapper = build_optim_wrapper(model, config.optim_wrapper)
    if config.get('param_scheduler') is not None:
        for part in wrappers_of(wrapper):
            PARAM_SCHEDULERS.build(
                config.param_scheduler, default_args=dict(optimizer=part))
    Visualizer.get_instance('configs')  # a hook looks for one
    for hook in [*config.default_hooks.values(), *config.custom_hooks]:
        HOOKS.build(hook)
    # A child config replaces `custom_hooks`.
    assert config.default_hooks.exact_resume.type == 'mmgh.ExactResumeHook'


@every
def test_shrunk_copy_takes_a_step(path):
    wrapper = assert_takes_a_step(load(path))
    assert isinstance(harmonized_part(wrapper), GHOptimWrapper) == (
        '-gh' in path.stem)


def test_embedded_data_sets_build():
    datasets = [
        load(path)[f'{kind}_dataloader'].dataset
        for path in NAMED if 'digitsm' in path.stem
        for kind in ('train', 'val', 'test')
    ]
    # The configs of many methods share them.
    for dataset in {str(dataset): dataset for dataset in datasets}.values():
        assert len(DATASETS.build(dataset)) > 0
