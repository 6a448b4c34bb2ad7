"""MCDOptimWrapperConstructor: who gets which parameters and options."""
from __future__ import annotations

import copy

import pytest
import torch
from mmengine.model import (MMDistributedDataParallel,
                            MMSeparateDistributedDataParallel)
from mmengine.optim import AmpOptimWrapper, OptimWrapper, build_optim_wrapper
from torch import nn

from mmgh.optim import GHOptimWrapper


class Parts(nn.Module):
    """Named as the parts of a classifier."""

    updates_per_iteration = dict(generator=4, classifier=2)

    def __init__(self) -> None:
        super().__init__()
        self.data_preprocessor = nn.Identity()
        self.backbone = nn.Linear(2, 3)
        self.neck = nn.Linear(3, 3)
        self.head = nn.Linear(3, 2)
        self.uda_head = nn.Linear(3, 2)


def make_config(**kwargs) -> dict:
    return {
        'constructor': 'mmgh.MCDOptimWrapperConstructor',
        'generator': dict(optimizer=dict(type='SGD', lr=0.1)),
        'classifier': dict(optimizer=dict(type='Adam', lr=0.2)),
        **kwargs
    }


def parameters(wrapper) -> set:
    return {
        parameter
        for group in wrapper.param_groups for parameter in group['params']
    }


def test_parameters_are_split():
    model = Parts()
    wrapper = build_optim_wrapper(model, make_config())
    assert parameters(wrapper['generator']) == {
        *model.backbone.parameters(), *model.neck.parameters()
    }
    assert parameters(wrapper['classifier']) == {
        *model.head.parameters(), *model.uda_head.parameters()
    }
    assert wrapper.get_lr() == {'generator.lr': [0.1], 'classifier.lr': [0.2]}


def test_model_without_a_neck():
    model = Parts()
    model.neck = None
    wrapper = build_optim_wrapper(model, make_config())
    assert len(parameters(wrapper['generator'])) == 2


def test_each_has_its_type_and_rates_by_name():
    model = Parts()
    config = make_config(
        generator=dict(
            type='mmgh.GHOptimWrapper',
            harmonizer=dict(type='mmgh.GH'),
            optimizer=dict(type='SGD', lr=0.1),
            paramwise_cfg=dict(custom_keys=dict(neck=dict(lr_mult=10)))))
    before = copy.deepcopy(config)
    wrapper = build_optim_wrapper(model, config)
    assert config == before
    assert isinstance(wrapper['generator'], GHOptimWrapper)
    assert type(wrapper['classifier']) is OptimWrapper
    rates = {
        group['params'][0]: group['lr']
        for group in wrapper['generator'].param_groups
    }
    assert rates[model.backbone.weight] == 0.1
    assert rates[model.neck.weight] == 1.


def test_what_harmonizes_any_model_is_the_generators():
    """The two generic overrides, and other arguments of the harmonization."""
    config = make_config(
        type='mmgh.GHOptimWrapper',
        harmonizer=dict(type='mmgh.GHPlusPlus'),
        interval=3)
    before = copy.deepcopy(config)
    wrapper = build_optim_wrapper(Parts(), config)
    assert config == before
    assert isinstance(wrapper['generator'], GHOptimWrapper)
    assert wrapper['generator'].interval == 3
    assert type(wrapper['classifier']) is OptimWrapper
    assert wrapper.get_lr() == {'generator.lr': [0.1], 'classifier.lr': [0.2]}


def test_counts_of_a_resumed_run_are_handed_on():
    model = Parts()
    wrapper = build_optim_wrapper(model, make_config())
    wrapper.initialize_count_status(model, 3, 10)
    assert wrapper['generator'].inner_count == 12
    assert wrapper['classifier'].inner_count == 6


def test_state_is_saved_and_loaded():
    model = Parts()
    wrapper = build_optim_wrapper(model, make_config())
    for part, layer in (('generator', model.backbone),
                        ('classifier', model.head)):
        wrapper[part].update_params(layer.weight.sum())
    other = build_optim_wrapper(model, make_config())
    other.load_state_dict(wrapper.state_dict())
    torch.testing.assert_close(other.state_dict(), wrapper.state_dict())


@pytest.mark.parametrize('changes, message', [
    (dict(type='AmpOptimWrapper', loss_scale='dynamic'),
     r"has \['classifier', 'generator', 'loss_scale', 'type'\]"),
    (dict(paramwise_cfg=dict(norm_decay_mult=0.)), '`paramwise_cfg`'),
    (dict(generator=dict(type='AmpOptimWrapper')),
     "`generator.type`.*full precision.*'AmpOptimWrapper'"),
    (dict(classifier=dict(type='mmgh.GHAmpOptimWrapper')),
     "`classifier.type`.*full precision.*'mmgh.GHAmpOptimWrapper'"),
    (dict(generator=dict(type='ApexOptimWrapper')),
     "`generator.type`.*full precision.*'ApexOptimWrapper'"),
    (dict(generator=dict(type=AmpOptimWrapper)), '`generator.type`.*full'),
    (dict(classifier=dict(harmonizer=dict(type='mmgh.GH'))),
     '`harmonizer` should be in `generator`'),
    (dict(classifier=dict(accumulative_counts=2)),
     '`classifier.accumulative_counts` should be 1, but got 2'),
])
def test_what_does_not_fit_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        build_optim_wrapper(Parts(), make_config(**changes))


def test_part_that_is_no_dict_is_refused():
    with pytest.raises(TypeError, match='`generator`.*a dict.*got 5'):
        build_optim_wrapper(Parts(), dict(make_config(), generator=5))


def test_missing_part_is_refused():
    config = make_config()
    del config['classifier']
    with pytest.raises(ValueError, match=r"has \['generator'\]"):
        build_optim_wrapper(Parts(), config)


@pytest.mark.parametrize(
    'wrapper', [MMDistributedDataParallel, MMSeparateDistributedDataParallel])
def test_wrappers_that_do_other_steps_are_refused(wrapper):
    model = wrapper.__new__(wrapper)
    with pytest.raises(ValueError, match='OwnStepDistributedDataParallel'):
        build_optim_wrapper(model, make_config())
