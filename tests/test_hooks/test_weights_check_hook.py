"""Checkpoints that do not fit the model."""
from __future__ import annotations

import re
from copy import deepcopy
from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config
from mmengine.model import BaseTTAModel
from mmengine.optim import OptimWrapper
from mmengine.runner.checkpoint import load_state_dict
from torch import nn

from mmgh.hooks import WeightsCheckHook
from mmgh.input_error import InputError


class Warnings(list):
    warning = list.append


def make_model(width: int = 4, classes: int = 3) -> nn.Module:
    model = nn.Module()
    model.backbone = nn.Sequential(nn.Linear(2, width), nn.BatchNorm1d(width))
    model.head = nn.Linear(width, classes)
    model.uda_head = nn.Linear(width, 1)
    model.register_buffer('strength', torch.zeros(()))
    return model


def load(model: nn.Module, weights: dict, purpose: str) -> list[str]:
    """What is warned of."""
    wrapper = dict(type='OptimWrapper')
    if purpose != 'test':
        wrapper = OptimWrapper(torch.optim.SGD(model.parameters(), 0.1))
    runner = SimpleNamespace(
        model=model,
        cfg=Config(dict(resume=purpose == 'resume')),
        _load_from='a.pth',
        optim_wrapper=wrapper,
        logger=Warnings())
    WeightsCheckHook().after_load_checkpoint(
        runner, dict(state_dict=dict(weights)))
    return runner.logger


def without(*starts: str) -> dict:
    return {
        name: value
        for name, value in make_model().state_dict().items()
        if not name.startswith(starts)
    }


OTHER_HEAD = make_model(classes=5).state_dict()
OTHER_WIDTH = make_model(width=5).state_dict()
UNKNOWN = {'conv.weight': torch.ones(1)}


@pytest.mark.parametrize('purpose', ['test', 'resume', 'train'])
@pytest.mark.parametrize('weights', [
    make_model().state_dict(),
    {f'module.{name}': value for name, value in make_model().state_dict()
     .items()},
    {**make_model().state_dict(), **UNKNOWN},
    {name: value for name, value in make_model().state_dict().items()
     if 'num_batches' not in name},
])
def test_weights_of_the_model_are_loaded(purpose, weights):
    assert not load(make_model(), weights, purpose)


@pytest.mark.parametrize('purpose, weights, message', [
    ('test', UNKNOWN, 'but 11 of 11 are not there.*backbone.0.weight'),
    ('test', OTHER_WIDTH, 'but 8 of 11'),
    ('test', OTHER_HEAD, r'but 2 of 11.*head.weight \(of shape \(5, '
     r'4\) instead of \(3, 4\)\), head.bias \(.*`model.head.num_classes`'),
    ('test', without('head.bias'), 'but 1 of 11.* head.bias'),
    ('resume', UNKNOWN, 'but 11 of 11'),
    ('resume', OTHER_HEAD, 'but 2 of 11'),
    ('resume', without('uda_head'), 'but 2 of 11'),
    ('resume', without('strength'), 'but 1 of 11.* strength'),
    ('train', UNKNOWN, 'but 11 of 11'),
    ('train', OTHER_WIDTH, 'but 8 of 11'),
    ('train', without('backbone.0'), 'but 2 of 11'),
])
def test_what_would_be_random_is_refused(purpose, weights, message):
    with pytest.raises(InputError, match=f'a.pth should have .*{message}'):
        load(make_model(), weights, purpose)


@pytest.mark.parametrize('purpose, weights, warned', [
    ('test', without('uda_head', 'strength'), '3 of 11.*uda_head.weight'),
    ('train', without('uda_head', 'head'), '4 of 11.*and 1 more'),
    ('train', OTHER_HEAD, r'2 of 11.*head.weight \(of shape \(5, 4\) instead '
     r'of \(3, 4\)\), head.bias \(of .*`model.head.num_classes`'),
])
def test_what_is_not_needed_is_told(purpose, weights, warned):
    told, = load(make_model(), weights, purpose)
    assert re.search(warned, told)


def test_a_model_without_a_backbone_needs_any_weights():
    model = nn.Module()
    model.backbone, model.head = nn.Identity(), nn.Linear(2, 3)
    assert load(model, {'head.bias': torch.ones(3)}, 'train')
    with pytest.raises(InputError, match='but 2 of 2'):
        load(model, UNKNOWN, 'train')


def test_layers_may_take_weights_of_another_form():
    """As vision transformers take position embeddings of another size."""

    class Resizing(nn.Linear):

        def _load_from_state_dict(self, state_dict, prefix, *args):
            name = f'{prefix}weight'
            if name in state_dict:
                state_dict[name] = state_dict[name][:, :2]
            super()._load_from_state_dict(state_dict, prefix, *args)

    model = nn.Module()
    model.backbone = Resizing(2, 3)
    weights = {'backbone.weight': torch.ones(3, 7),
               'backbone.bias': torch.ones(3)}
    assert not load(model, weights, 'test')
    with pytest.raises(InputError, match='but 2 of 2'):
        load(model, UNKNOWN, 'test')


def test_averaging_model_is_looked_into():
    class Averaging(BaseTTAModel):

        def merge_preds(self, data_samples_list):
            return data_samples_list

    model = Averaging.__new__(Averaging)
    nn.Module.__init__(model)
    model.module = make_model()
    assert not load(model, make_model().state_dict(), 'test')
    with pytest.raises(InputError):
        load(model, UNKNOWN, 'test')


def test_mmengine_loads_the_same_afterwards():
    model, weights = make_model(), make_model().state_dict()
    load(model, weights, 'test')
    expected = deepcopy(model.state_dict())
    load_state_dict(model, weights)
    torch.testing.assert_close(model.state_dict(), expected)


@pytest.mark.parametrize('purpose', ['test', 'resume', 'train'])
@pytest.mark.parametrize('value', [float('nan'), float('inf')])
def test_weights_of_a_training_that_diverged_are_refused(purpose, value):
    weights = make_model().state_dict()
    weights['head.bias'][1] = value
    with pytest.raises(InputError, match='a.pth should .* 1 of 1.*head.bias: '
                       'the training diverged'):
        load(make_model(), weights, purpose)


def test_predictions_that_are_no_numbers_are_refused():
    runner = SimpleNamespace(_load_from='a.pth')
    samples = [SimpleNamespace(pred_score=torch.tensor([0.5, 0.5])), object()]
    WeightsCheckHook().after_test_iter(runner, 0, outputs=samples)
    samples[0].pred_score[0] = float('nan')
    with pytest.raises(InputError, match='a.pth .*finite.*diverged'):
        WeightsCheckHook().after_test_iter(runner, 0, outputs=samples)
