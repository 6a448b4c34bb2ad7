"""DivergenceHook: the first number that is not finite ends a training, and
the checkpoint before it stays the last one."""
from __future__ import annotations

import json
import os
from math import inf, nan
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from mmengine.dataset import InfiniteSampler
from mmengine.hooks import CheckpointHook
from mmengine.logging import MessageHub, MMLogger
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.runner import Runner
from torch import nn

from mmgh.divergence import (DivergenceError, diverged_weights,
                             report_diverged_tasks)
from mmgh.hooks import DivergenceHook
from mmgh.hooks.last_good_checkpoint import last_good_checkpoint
from ..test_optim.two_task_model import TwoTaskModel, make_batch, make_model

WRAPPERS = dict(
    stock=dict(type='mmengine.OptimWrapper'),
    parameters=dict(type='mmgh.GHOptimWrapper', harmonizer='GH'),
    features=dict(
        type='mmgh.GHOptimWrapper', harmonizer='GH', probe='features'),
    interval=dict(type='mmgh.GHOptimWrapper', harmonizer='GH', interval=2))


class FailingModel(TwoTaskModel):
    """One loss, or only its gradient, is not finite in one iteration."""

    def fail(self, iteration: int, name: str, value: float | str) -> None:
        self.failure, self.countdown = (name, value), iteration

    def losses_of_heads(self, features, labels) -> dict:
        losses = super().losses_of_heads(features, labels)
        self.countdown -= 1
        if self.countdown == 0:
            name, value = self.failure
            loss = losses[name]
            # 0 with an infinite slope, or the gradient is that of the loss.
            losses[name] = (
                loss + (loss - loss.detach()).sqrt()
                if value == 'gradient' else loss * value)
        return losses


def train(work_dir: Path, wrapper: str, iteration: int, name: str,
          value: float | str, **options) -> Runner:
    """Eight iterations, with a checkpoint after each second one."""
    model = make_model(conflict=True)
    model.__class__ = FailingModel
    model.fail(iteration, name, value)
    config = dict(WRAPPERS[wrapper])
    if 'harmonizer' in config:
        config['harmonizer'] = dict(type='mmgh.GH')
    batch = make_batch(8)
    samples = [{k: v[i] for k, v in batch.items()} for i in range(8)]
    runner = Runner(
        model,
        work_dir=str(work_dir),
        train_dataloader=dict(
            dataset=samples,
            batch_size=4,
            sampler=dict(type=InfiniteSampler),
            collate_fn=dict(type='default_collate')),
        train_cfg=dict(by_epoch=False, max_iters=8),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.01), **config),
        default_hooks=dict(
            logger=dict(type='LoggerHook', interval=1),
            checkpoint=dict(
                type='CheckpointHook',
                by_epoch=False,
                interval=2,
                max_keep_ckpts=1),
            divergence=dict(type='mmgh.DivergenceHook', **options)),
        log_processor=dict(by_epoch=False),
        visualizer=dict(
            type='mmengine.Visualizer',
            vis_backends=[dict(type='LocalVisBackend')]),
        experiment_name=f'{work_dir.name}_{wrapper}')
    runner.train()
    return runner


def assert_last_is(work_dir: Path, name: str, message: str) -> None:
    assert [path.name for path in work_dir.glob('*.pth')] == [name]
    assert message.endswith(
        f'The last good checkpoint is {work_dir / name}.')
    assert (work_dir / 'last_checkpoint').read_text() == str(work_dir / name)
    weights = torch.load(work_dir / name)['state_dict']
    assert all(tensor.isfinite().all() for tensor in weights.values())


@pytest.mark.parametrize('wrapper', WRAPPERS)
@pytest.mark.parametrize('task', ['cls', 'alignment'])
@pytest.mark.parametrize('value, iteration', [(nan, 5), (inf, 6)])
def test_loss_that_is_not_finite_ends_training(wrapper, task, value, iteration,
                                               tmp_path):
    with pytest.raises(DivergenceError) as error:
        train(tmp_path, wrapper, iteration, f'loss_{task}', value)
    message = str(error.value)
    assert message.startswith(
        f'The training diverged in iteration {iteration}: `loss_{task}` of '
        f'the task `{task}` is {value}. ')
    assert_last_is(tmp_path, 'iter_4.pth', message)
    log, = tmp_path.glob('*/vis_data/scalars.json')
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line['step'] for line in lines] == list(range(1, iteration))
    text, = tmp_path.glob('*/*.log')
    assert message in text.read_text()


@pytest.mark.parametrize('wrapper', WRAPPERS)
def test_gradient_that_is_not_finite_spoils_no_checkpoint(wrapper, tmp_path):
    """At an iteration that ends with one; all losses are finite."""
    with pytest.raises(DivergenceError) as error:
        train(tmp_path, wrapper, 4, 'loss_alignment', 'gradient')
    sees_weights = wrapper in ('stock', 'interval')
    named = (r'`\S+` \(the first of \d+ weights\)' if sees_weights else
             'the gradient of the task `alignment`')
    error.match(f'in iteration 4: {named} is not finite')
    assert_last_is(tmp_path, 'iter_2.pth', str(error.value))


def test_training_that_fails_at_once_has_no_checkpoint(tmp_path):
    with pytest.raises(DivergenceError, match='It has no good checkpoint'):
        train(tmp_path, 'stock', 1, 'loss_cls', nan)
    assert not list(tmp_path.glob('*.pth'))


def test_may_go_on_until_weights_would_be_saved(tmp_path):
    with pytest.raises(DivergenceError, match='in iteration 6: `trunk'):
        train(tmp_path, 'parameters', 5, 'loss_cls', nan, stop=False)
    text, = tmp_path.glob('*/*.log')
    assert 'Iteration 5: `loss_cls` of the task `cls` is nan' in (
        text.read_text())
    assert [path.name for path in tmp_path.glob('*.pth')] == ['iter_4.pth']


def test_newer_files_that_are_not_good_are_passed_over(tmp_path):
    good = dict(state_dict=make_model(True).state_dict(), optimizer={})
    torch.save(good, tmp_path / 'good.pth')
    diverged = {k: v * nan for k, v in good['state_dict'].items()}
    torch.save(dict(good, state_dict=diverged), tmp_path / 'nan.pth')
    torch.save(dict(state_dict={}), tmp_path / 'without_optimizer.pth')
    half = (tmp_path / 'good.pth').read_bytes()[:1000]
    (tmp_path / 'half.pth').write_bytes(half)
    with pytest.raises(DivergenceError, match='good checkpoint is .*good.pth'):
        train(tmp_path, 'stock', 1, 'loss_cls', nan)


def test_newer_file_that_holds_more_than_plain_data_is_told(tmp_path):
    good = dict(state_dict=make_model(True).state_dict(), optimizer={})
    torch.save(good, tmp_path / 'good.pth')
    torch.save(dict(good, mine=slice(1)), tmp_path / 'slice.pth')
    os.utime(tmp_path / 'good.pth', (0, 0))
    with pytest.warns(UserWarning, match='slice.pth should .*It is skipped'), \
            pytest.raises(DivergenceError, match='is .*good.pth'):
        train(tmp_path, 'stock', 1, 'loss_cls', nan)


class Untouchable:
    """A tensor on a device that is still busy."""

    def __getattribute__(self, name):
        raise AssertionError('The hook waits for the device.')


def make_runner(wrapper=None, model=None, **losses) -> SimpleNamespace:
    """A runner that has just logged losses."""
    hub = MessageHub.get_instance('test_divergence')
    hub.log_scalars.clear()
    for name, value in losses.items():
        hub.update_scalar(f'train/{name}', value)
    return SimpleNamespace(
        iter=6,
        max_iters=100,
        work_dir='absent',
        hooks=[CheckpointHook(interval=7, by_epoch=False)],
        model=model or make_model(conflict=True),
        optim_wrapper=wrapper or OptimWrapper(SGD()),
        message_hub=hub,
        logger=MMLogger.get_instance('test_divergence'))


def SGD():
    return torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1)


def look(hook: DivergenceHook, runner) -> None:
    outputs = {
        name.split('/')[1]: Untouchable()
        for name in runner.message_hub.log_scalars
    }
    hook.after_train_iter(runner, 0, None, outputs)


def test_losses_are_not_read_from_the_device_again():
    hook = DivergenceHook()
    look(hook, make_runner(loss=1., loss_cls=1., accuracy=nan))
    with pytest.raises(DivergenceError, match='7: `loss_cls` of the task `cl'):
        look(hook, make_runner(loss=nan, loss_cls=nan, accuracy=nan))


@pytest.mark.parametrize('losses, message', [
    (dict(loss=inf, loss_cls=1e38, loss_alignment=1e38), ': `loss` is inf.'),
    (dict(loss=nan, loss_cls=nan, loss_alignment=-inf),
     ': `loss_cls` of the task `cls` is nan, `loss_alignment` of the task '
     '`alignment` is -inf.'),
    (dict(loss=1., loss_generator=nan), ': `loss_generator` is nan.'),
])
def test_says_what_began(losses, message):
    with pytest.raises(DivergenceError) as error:
        look(DivergenceHook(), make_runner(**losses))
    assert message in str(error.value)


def test_model_without_tasks_has_losses():
    with pytest.raises(DivergenceError, match=': `loss` is nan'):
        look(DivergenceHook(), make_runner(model=nn.Linear(1, 1), loss=nan))


def test_a_gradient_is_told_once():
    runner = make_runner(loss=1.)
    report_diverged_tasks(runner.message_hub, ['alignment'])
    report_diverged_tasks(runner.message_hub, ['alignment', 'cls'])
    with pytest.raises(DivergenceError, match='of the task `alignment` is not '
                       'finite. It has'):
        look(DivergenceHook(), runner)
    look(DivergenceHook(), runner)


def with_loss_scale(**options) -> OptimWrapper:
    pytest.importorskip('torch', '2.3')  # Before, it scales on GPUs alone.
    wrapper = OptimWrapper(SGD())
    wrapper.loss_scaler = torch.amp.GradScaler('cpu', **options)
    return wrapper


@pytest.mark.parametrize('make', [
    with_loss_scale, lambda: OptimWrapperDict(
        classifier=OptimWrapper(SGD()), generator=with_loss_scale())
])
def test_overflow_with_a_loss_scale_is_no_divergence(make):
    hook, runner = DivergenceHook(), make_runner(make(), loss=1.)
    hub = runner.message_hub
    for loss in ([nan] * 50 + [1.]) * 3:
        hub.update_scalar('train/loss', loss)
        look(hook, runner)
    for _ in range(50):
        report_diverged_tasks(hub, ['cls'])
        look(hook, runner)
    report_diverged_tasks(hub, ['cls'])
    with pytest.raises(DivergenceError, match='gradient of the task `cls`'):
        look(hook, runner)


def train_with(wrapper: OptimWrapper, hook: DivergenceHook, runner,
               gradients: list[float], every: int = 1) -> None:
    for runner.iter, gradient in enumerate(gradients):
        if (runner.iter + 1) % every == 0:
            step(wrapper, gradient)
        look(hook, runner)


def step(wrapper: OptimWrapper, gradient: float) -> None:
    """As AmpOptimWrapper does."""
    scaler = wrapper.loss_scaler
    scaler.scale(torch.ones(1))
    for group in wrapper.optimizer.param_groups:
        group['params'][0].grad = torch.tensor([gradient])
    scaler.step(wrapper.optimizer)
    scaler.update()


@pytest.mark.parametrize('make', [
    lambda wrapper: wrapper,
    lambda wrapper: OptimWrapperDict(a=OptimWrapper(SGD()), b=wrapper)])
@pytest.mark.parametrize('good', [0, 3, 60])
def test_steps_that_are_always_skipped_end_training(make, good):
    """The loss is finite, and the stock wrapper says nothing of gradients."""
    wrapper = with_loss_scale()
    hook, runner = DivergenceHook(), make_runner(make(wrapper), loss=1.)
    with pytest.raises(DivergenceError, match='each of the last 50 steps was '
                       'skipped, as gradients are not finite'):
        train_with(wrapper, hook, runner, [1.] * good + [nan] * 101)
    assert good + 49 <= runner.iter < good + 100


@pytest.mark.parametrize('skipped', [range(20), range(0, 90, 2),
                                     range(100, 145)])
def test_steps_that_are_skipped_now_and_then_are_no_divergence(skipped):
    wrapper = with_loss_scale(growth_interval=3)
    hook, runner = DivergenceHook(), make_runner(wrapper, loss=1.)
    train_with(wrapper, hook, runner,
               [inf if i in skipped else 1. for i in range(400)])


def test_accumulation_steps_less_often():
    wrapper = with_loss_scale()
    wrapper._accumulative_counts = 4
    hook, runner = DivergenceHook(), make_runner(wrapper, loss=1.)
    with pytest.raises(DivergenceError, match='in iteration 200: each'):
        train_with(wrapper, hook, runner, [nan] * 500, every=4)


def test_loss_scale_that_is_turned_off_skips_nothing():
    wrapper = with_loss_scale(enabled=False)
    with pytest.raises(DivergenceError):
        look(DivergenceHook(), make_runner(wrapper, loss=nan))


@pytest.mark.parametrize('stop', [True, False])
@pytest.mark.parametrize('event', ['before_val_epoch', 'after_train_epoch'])
def test_weights_are_looked_at_before_they_are_used(event, stop):
    hook, model = DivergenceHook(stop), nn.BatchNorm1d(3)
    runner = make_runner(model=model)
    model.register_buffer('minimum', torch.tensor(inf))
    getattr(hook, event)(runner)
    model.running_var[1] = nan
    with pytest.raises(DivergenceError, match='6: `running_var` is not fini'):
        getattr(hook, event)(runner)
    model.running_var[1] = 1
    with torch.no_grad():
        model.weight[0], model.bias[0] = -inf, nan
    with pytest.raises(DivergenceError, match=r'`weight` \(the first of 2'):
        getattr(hook, event)(runner)


def test_a_checkpoint_whose_optimizer_diverged_is_not_good(tmp_path):
    weights = make_model(True).state_dict()
    for name, value in (('good', 0.), ('nan', nan)):
        state = {0: dict(exp_avg=torch.full((2, ), value))}
        torch.save(
            dict(state_dict=weights, optimizer=dict(state=state)),
            tmp_path / f'{name}.pth')
        # Of one moment, otherwise.
        os.utime(tmp_path / f'{name}.pth', (0, name == 'nan'))
    assert last_good_checkpoint([tmp_path], weights).name == 'good.pth'


@pytest.mark.parametrize('value', [nan, inf])
def test_statistics_of_batch_norm_are_finite(value):
    model = nn.BatchNorm1d(2)
    assert diverged_weights(model) == []
    model.running_var.fill_(value)
    assert diverged_weights(model) == ['running_var']
