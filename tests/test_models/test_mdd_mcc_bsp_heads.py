"""What MDD, MCC and BSP have in common: degenerate batches, saved state, and
training steps in a classifier."""
from __future__ import annotations

import copy

import pytest
import torch
from mmengine.optim import build_optim_wrapper
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample

from mmgh.datasets.domain_pair_dataset import DomainPair
from mmgh.task_losses import get_task_losses
from .degenerate_batches import DEGENERATE, assert_finite, make_outputs

HEADS = {
    'mdd':
    dict(type='mmgh.MDDHead', hidden_channels=8),
    'mcc':
    dict(type='mmgh.MCCHead'),
    'bsp-dann':
    dict(
        type='mmgh.BSPHead',
        adversary=dict(discriminator=dict(hidden_channels=8))),
    'bsp-cdan':
    dict(
        type='mmgh.BSPHead',
        adversary=dict(
            type='mmgh.CDANHead',
            entropy='reversed',
            discriminator=dict(hidden_channels=8))),
}
every_head = pytest.mark.parametrize('name', HEADS)
HARMONIZED = dict(
    type='mmgh.GHOptimWrapper', harmonizer=dict(type='mmgh.GHPlusPlus'))
WRAPPERS = {
    'stock': dict(type='OptimWrapper'),
    'parameters': dict(HARMONIZED, probe='parameters'),
    'features': dict(HARMONIZED, probe='features'),
}


def make_head(name):
    return MODELS.build(dict(HEADS[name], in_channels=6, num_classes=3))


@every_head
@pytest.mark.parametrize('case', DEGENERATE)
def test_degenerate_batches_are_finite(name, case):
    head, outputs = make_head(name), make_outputs(*DEGENERATE[case])
    for module in head.modules():
        if hasattr(module, 'advance'):
            module.iteration.fill_(3000)
    assert_finite(head, outputs)


@every_head
def test_each_loss_has_a_task(name):
    head = make_head(name)
    outputs = make_outputs(torch.randn(2, 4, 6), torch.randn(2, 4, 3))
    losses = {key for key in head.loss(*outputs) if 'loss' in key}
    assert losses == set(head.tasks)
    assert set(head.tasks.values()) == {'alignment'}


def make_model(name):
    return MODELS.build(
        dict(
            type='mmgh.UDAClassifier',
            backbone=dict(type='mmgh.DigitsLeNet', channels=(4, 4)),
            head=dict(type='LinearClsHead', in_channels=64, num_classes=3),
            uda_head=HEADS[name],
            data_preprocessor=dict(mean=[127.5] * 3, std=[127.5] * 3)))


def make_batch() -> DomainPair:
    inputs = torch.randint(0, 256, (2, 6, 3, 28, 28), dtype=torch.uint8)
    samples = [DataSample().set_gt_label(i % 3) for i in range(6)]
    return DomainPair(
        source=dict(inputs=inputs[0], data_samples=samples),
        target=dict(inputs=inputs[1]))


def wrap(model, config):
    optimizer = dict(type='SGD', lr=0.01)
    wrapper = build_optim_wrapper(model, dict(config, optimizer=optimizer))
    wrapper.initialize_count_status(model, 0, 10)
    return wrapper


@every_head
def test_uda_losses_are_the_task_alignment(name):
    model = make_model(name)
    data = model.data_preprocessor(make_batch(), True)
    total, log_vars = model.parse_losses(model(**data, mode='loss'))
    tasks = get_task_losses(total)
    assert list(tasks) == ['alignment', 'cls']
    assert tasks['cls'] == log_vars['loss_cls']
    torch.testing.assert_close(tasks['alignment'], total - tasks['cls'])


@every_head
@pytest.mark.parametrize('wrapper', WRAPPERS)
def test_training_goes_on_from_a_state_dict_exactly(name, wrapper):
    model = make_model(name)
    batches = [make_batch() for _ in range(4)]

    def train(model, batches, first):
        optim_wrapper = wrap(model, WRAPPERS[wrapper])
        for i, batch in enumerate(batches, first):
            torch.manual_seed(i)  # as IterationSeedHook does
            model.train_step(copy.deepcopy(batch), optim_wrapper)
        return model.state_dict()

    state = copy.deepcopy(train(model, batches[:2], 0))
    resumed = make_model(name)
    resumed.load_state_dict(state)
    expected = train(model, batches[2:], 2)
    for key, value in train(resumed, batches[2:], 2).items():
        assert value.isfinite().all()
        assert torch.equal(value, expected[key]), key
    assert any(not torch.equal(state[key], value)
               for key, value in expected.items() if 'backbone' in key)
