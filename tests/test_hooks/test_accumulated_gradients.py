"""Gradients that wait for a step go through a checkpoint, or are refused."""
from __future__ import annotations

import copy
import io

import pytest
import torch
from mmengine.optim import OptimWrapper, OptimWrapperDict
from torch.optim import SGD

from mmgh.harmonizers import GHPlusPlus
from mmgh.hooks.resuming import accumulated_gradients, restore_gradients
from mmgh.optim import GHOptimWrapper
from mmgh.task_losses import TaskLossMixin
from ..test_optim.test_gh_amp_optim_wrapper import amp_wrapper  # noqa: F401
from ..test_optim.test_gh_amp_optim_wrapper import gh_wrapper
from ..test_optim.two_task_model import make_batch, make_model
from .small_runs import (Model, assert_same_end, assert_same_states, killed,
                         make_runner, trained)

PROBES = [
    dict(probe='parameters'),
    dict(probe='parameters', interval=2),
    dict(probe='parameters', apply_to='shared'),
    dict(probe='modules', shared=['trunk']),
    dict(probe='features'),
    dict(probe='features', apply_to='shared'),
]


def stock_wrapper(model, **options) -> OptimWrapper:
    return OptimWrapper(SGD(model.parameters(), lr=0.01), **options)


def through_a_file(state: dict) -> dict:
    """As a checkpoint is saved and read."""
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


@pytest.mark.parametrize('seen', range(1, 7))
@pytest.mark.parametrize('make, options', [
    ('stock', {}),
    *(('gh', options) for options in PROBES),
    *(('amp', options) for options in PROBES[::2]),
])
def test_training_goes_on_between_two_steps(
        amp_wrapper, make, options, seen):  # noqa: F811
    make = dict(stock=stock_wrapper, gh=gh_wrapper, amp=amp_wrapper)[make]
    model = make_model(conflict=True)
    wrapper = make(model, accumulative_counts=4, **options)
    wrapper.initialize_count_status(model, 0, 10)
    for i in range(seen):
        model.train_step(make_batch(seed=i), wrapper)
    gradients = accumulated_gradients(wrapper)
    assert seen % 4 or not gradients
    state = through_a_file(dict(w=wrapper.state_dict(), g=gradients))
    twin = copy.deepcopy(model)
    twin.zero_grad()
    resumed = make(twin, accumulative_counts=4, **options)
    resumed.load_state_dict(state['w'])
    resumed.initialize_count_status(twin, seen, 10)
    restore_gradients(resumed, state['g'])
    for i in range(seen, 10):
        model.train_step(make_batch(seed=i), wrapper)
        twin.train_step(make_batch(seed=i), resumed)
        torch.testing.assert_close(
            twin.state_dict(), model.state_dict(), rtol=0, atol=0)


@pytest.mark.parametrize('make', [stock_wrapper, gh_wrapper])
@pytest.mark.parametrize('is_trained', [False, True])
def test_layers_may_be_frozen_or_thawed_between_two_steps(make, is_trained):
    """By a hook, which has not run yet where a checkpoint is loaded."""

    def train(net, wrapper, iterations):
        for i in iterations:
            if i >= 1:
                net.trunk[0].weight.requires_grad_(is_trained)
            net.train_step(make_batch(seed=i), wrapper)

    model = make_model(conflict=True)
    model.trunk[0].weight.requires_grad_(not is_trained)
    twin = copy.deepcopy(model)
    wrapper = make(model, accumulative_counts=3)
    wrapper.initialize_count_status(model, 0, 7)
    train(model, wrapper, range(2))
    state = through_a_file(
        dict(w=wrapper.state_dict(), g=accumulated_gradients(wrapper)))
    twin.load_state_dict(model.state_dict())
    resumed = make(twin, accumulative_counts=3)
    resumed.load_state_dict(state['w'])
    resumed.initialize_count_status(twin, 2, 7)
    restore_gradients(resumed, state['g'])
    for net, own in ((model, wrapper), (twin, resumed)):
        train(net, own, range(2, 7))
    torch.testing.assert_close(
        twin.state_dict(), model.state_dict(), rtol=0, atol=0)


def test_runs_are_the_same(tmp_path):
    options = dict(
        checkpoint=dict(interval=3),
        optim_wrapper=dict(
            accumulative_counts=4, optimizer=dict(type='SGD', lr=0.1)))
    whole = trained(tmp_path / 'whole', **options)
    killed(tmp_path / 'run', 7, **options)
    assert_same_end(trained(tmp_path / 'run', resume=True, **options), whole)


class TwoSteps(TaskLossMixin, Model):
    """Two optimizers, each of which leaves gradients in the fields of the
    other, and counts two updates an iteration or one."""

    tasks = dict(loss_a='a', loss_b='b')

    def __init__(self) -> None:
        super().__init__()
        self.trunk = torch.nn.Linear(2, 2)

    def forward(self, inputs, mode: str = 'tensor'):
        if mode != 'loss':
            return super().forward(inputs, mode)
        loss = super().forward(torch.tanh(self.trunk(inputs)), mode)['loss']
        return dict(
            loss_a=loss,
            loss_b=-self.linear(torch.tanh(self.trunk(inputs))).mean())

    def train_step(self, data, optim_wrapper):
        for name in ('trunk', 'linear', 'trunk'):
            wrapper = optim_wrapper[name]
            with wrapper.optim_context(self):
                total, logged = self.parse_losses(self(data, mode='loss'))
            wrapper.update_params(total)
        return logged


def two_wrappers(model, make, **options) -> OptimWrapperDict:
    return OptimWrapperDict(
        **{
            name: make(
                optimizer=SGD(
                    getattr(model, name).parameters(), lr=0.01, momentum=0.9),
                **options)
            for name in ('trunk', 'linear')
        })


@pytest.mark.parametrize('options', [
    dict(make=OptimWrapper),
    dict(make=OptimWrapper, accumulative_counts=3),
    dict(make=GHOptimWrapper, harmonizer=GHPlusPlus()),
    dict(make=GHOptimWrapper, harmonizer=GHPlusPlus(), interval=3),
    dict(
        make=GHOptimWrapper,
        harmonizer=GHPlusPlus(),
        interval=3,
        accumulative_counts=2),
])
def test_runs_of_several_optimizers_are_the_same(tmp_path, options):

    def parts() -> dict:
        model = TwoSteps()
        return dict(model=model, optim_wrapper=two_wrappers(model, **options))

    whole = trained(tmp_path / 'whole', **parts())
    killed(tmp_path / 'run', 7, **parts())
    resumed = trained(tmp_path / 'run', resume=True, **parts())
    assert_same_states(resumed, whole)


@pytest.mark.parametrize('checkpoint, setting', [
    (dict(interval=6), 'checkpoint.interval'),
    (dict(interval=4, save_begin=2), 'checkpoint.save_begin'),
    (dict(interval=4, save_best='score', rule='less'), 'train_cfg.val_int'),
    (dict(interval=8), None),
    (dict(interval=-1), None),
])
def test_several_processes_save_at_steps_only(tmp_path, checkpoint, setting):
    runner = make_runner(
        tmp_path,
        loop=dict(by_epoch=False, max_iters=8, val_interval=6),
        checkpoint=checkpoint,
        optim_wrapper=dict(
            accumulative_counts=4, optimizer=dict(type='SGD', lr=0.1)))
    runner._world_size = 2
    if setting is None:
        runner.train()
        return
    with pytest.raises(ValueError, match=f'{setting}.*multiple of .*, 4, in'):
        runner.train()
    assert not runner.model.seen
