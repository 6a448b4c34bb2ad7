"""Settings of a training that contradict each other, or fail late."""
from __future__ import annotations

import logging
import re
from types import SimpleNamespace

import pytest
import torch
from mmengine.dataset import DefaultSampler, InfiniteSampler
from mmengine.hooks import CheckpointHook, LoggerHook
from mmengine.optim import CosineAnnealingLR, OptimWrapper, OptimWrapperDict
from mmengine.optim.scheduler import ReduceOnPlateauLR
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop, Runner
from mmpretrain.engine.hooks import SwitchRecipeHook
from torch import nn
from torch.utils.data import BatchSampler, DataLoader, TensorDataset

from mmgh.datasets import Digits, DigitsM, DomainPairDataset, DomainPairSampler
from mmgh.hooks import TrainingCheckHook
from mmgh.input_error import InputError
from mmgh.models import DomainPairDataPreprocessor
from mmgh.models.layers import GradientReversal
from mmgh.optim import GHOptimWrapper
from mmgh.task_losses import TaskLossMixin

DATA = TensorDataset(torch.zeros(8))
PAIR = DomainPairDataset(Digits('test'), DigitsM('test'))


def loader(sampler=None, batch_size=2, **options) -> DataLoader:
    dataset = PAIR if isinstance(sampler, DomainPairSampler) else DATA
    return DataLoader(dataset, batch_size, sampler=sampler, **options)


def loop_of(kind: type, **options):
    loop = object.__new__(kind)
    for name, value in dict(val_begin=1, dynamic_intervals=[1]).items():
        setattr(loop, name, options.pop(name, value))
    loop._max_iters = options.pop('max_iters', 20)
    loop._max_epochs = options.pop('max_epochs', 20)
    loop._iter = options.pop('iter', 0)
    loop._epoch = options.pop('epoch', 0)
    return loop


def wrapper(**clip_grad) -> OptimWrapper:
    parameters = [nn.Parameter(torch.zeros(1))]
    return OptimWrapper(
        torch.optim.SGD(parameters, lr=1), clip_grad=clip_grad or None)


def runner(kind=IterBasedTrainLoop, train=None, val=None, loop=None,
           optim_wrapper=None, schedulers=None, hooks=(), model=None, cfg=None,
           log_by_epoch=False) -> SimpleNamespace:
    return SimpleNamespace(
        cfg=cfg or {},
        model=model or nn.Module(),
        log_processor=SimpleNamespace(by_epoch=log_by_epoch),
        train_loop=loop or loop_of(kind),
        train_dataloader=loader() if train is None else train,
        val_loop=object(),
        val_dataloader=val or loader(),
        param_schedulers=schedulers,
        optim_wrapper=optim_wrapper or wrapper(),
        hooks=hooks,
        logger=logging.getLogger('test'),
        save_checkpoint=object.__new__(Runner).save_checkpoint)


def check(**settings) -> None:
    TrainingCheckHook().before_train(runner(**settings))


@pytest.mark.parametrize('settings', [
    dict(),
    dict(train=loader(InfiniteSampler(DATA))),
    dict(train=loader(DomainPairSampler(PAIR, infinite=True))),
    dict(train=loader(DomainPairSampler(PAIR))),
    dict(kind=EpochBasedTrainLoop),
    dict(kind=EpochBasedTrainLoop, train=loader(DomainPairSampler(PAIR))),
    dict(kind=EpochBasedTrainLoop, schedulers=[
        CosineAnnealingLR(wrapper(), T_max=3)]),
    dict(schedulers=[CosineAnnealingLR(wrapper(), T_max=3, by_epoch=False)]),
    dict(schedulers=[ReduceOnPlateauLR(wrapper(), monitor='loss')]),
    dict(optim_wrapper=wrapper(max_norm=float('inf'))),
    dict(optim_wrapper=wrapper(max_norm=1, norm_type=1)),
    dict(optim_wrapper=wrapper(type='value', clip_value=.1)),
    dict(loop=loop_of(IterBasedTrainLoop, dynamic_intervals=[99, 5.],
                      val_begin=20)),
    dict(hooks=[CheckpointHook(by_epoch=False, interval=5, save_begin=2)]),
])
def test_what_goes_together_is_accepted(settings):
    check(**settings)


@pytest.mark.parametrize('settings, message', [
    (dict(kind=EpochBasedTrainLoop,
          train=loader(DomainPairSampler(PAIR, infinite=True))),
     '`train_dataloader.sampler` .*`infinite=False`.*by_epoch=True'),
    (dict(kind=EpochBasedTrainLoop, train=loader(InfiniteSampler(DATA))),
     "`train_dataloader.sampler.type` .*'DefaultSampler'"),
    (dict(kind=EpochBasedTrainLoop, train=DataLoader(
        DATA, batch_sampler=BatchSampler(InfiniteSampler(DATA), 2, False))),
     '`train_dataloader.sampler.type`'),
    (dict(val=loader(InfiniteSampler(DATA))), '`val_dataloader.sampler.type`'),
    (dict(train=loader(DefaultSampler(DATA), batch_size=None)),
     '`train_dataloader.batch_size` .*got None'),
    (dict(val=loader(batch_size=None)), '`val_dataloader.batch_size`'),
    (dict(train=loader(batch_size=9, drop_last=True)),
     '`train_dataloader` .* one batch, .* 8 images .*`drop_last=True`'),
    (dict(loop=loop_of(IterBasedTrainLoop, dynamic_intervals=[0])),
     '`train_cfg.val_interval` .*got 0'),
    (dict(loop=loop_of(IterBasedTrainLoop, dynamic_intervals=[.5])),
     '`train_cfg.val_interval` .*got 0.5'),
    (dict(loop=loop_of(EpochBasedTrainLoop, dynamic_intervals=[-1])),
     '`train_cfg.val_interval` .*got -1'),
    (dict(loop=loop_of(IterBasedTrainLoop, val_begin=21)),
     '`train_cfg.val_begin` .*`max_iters=20`, but got 21'),
    (dict(loop=loop_of(EpochBasedTrainLoop, val_begin=21)), '`max_epochs=20`'),
    (dict(schedulers=[CosineAnnealingLR(wrapper(), T_max=3)]),
     '`param_scheduler.by_epoch` should be False .*CosineAnnealingLR'),
    (dict(schedulers=dict(a=[CosineAnnealingLR(wrapper(), T_max=3)])),
     '`param_scheduler.by_epoch`'),
    (dict(optim_wrapper=wrapper(max_nrom=1)),
     '`optim_wrapper.clip_grad` .*clip_grad_norm_.*max_nrom'),
    (dict(optim_wrapper=wrapper(max_norm='a')), '`optim_wrapper.clip_grad`'),
    (dict(optim_wrapper=wrapper(max_norm=-1)), 'clip_grad.max_norm.*got -1'),
    (dict(optim_wrapper=wrapper(type='value', clip_value=0)),
     'clip_grad.clip_value.*got 0'),
    (dict(optim_wrapper=OptimWrapperDict(
        a=wrapper(), b=wrapper(type='value', max_norm=1))), 'clip_grad_value'),
    (dict(hooks=[CheckpointHook(by_epoch=False, intervall=5)]),
     'CheckpointHook .*intervall'),
])
def test_what_does_not_is_refused_before_training(settings, message):
    with pytest.raises(ValueError, match=message):
        check(**settings)


@pytest.mark.parametrize('interval, save_last, is_told', [
    (21, False, True), (20, False, False), (21, True, False),
    (-1, False, False)
])
def test_a_training_that_saves_nothing_is_told(caplog, interval, save_last,
                                               is_told):
    hook = CheckpointHook(
        interval=interval, by_epoch=False, save_last=save_last)
    check(hooks=[hook])
    assert ('nothing is saved' in caplog.text) == is_told


@pytest.mark.parametrize('make, told', [
    (wrapper, 'OptimWrapper does not harmonize'),
    (lambda: GHOptimWrapper(
        optimizer=torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1),
        harmonizer=dict(type='mmgh.GH')), 'GHOptimWrapper harmonizes'),
])
def test_log_says_whether_gradients_are_harmonized(caplog, make, told):
    class Model(TaskLossMixin, nn.Module):
        pass

    caplog.set_level(logging.INFO)
    check(model=Model(), optim_wrapper=make())
    assert told in caplog.text


def test_checkpoints_at_the_end_alone_are_told(caplog):
    check(hooks=[CheckpointHook(interval=1)])
    assert '`by_epoch` of CheckpointHook should be False' in caplog.text
    caplog.clear()
    check(kind=EpochBasedTrainLoop, hooks=[CheckpointHook(interval=1)])
    assert not caplog.text


@pytest.mark.parametrize('kind, length', [
    (IterBasedTrainLoop, dict(max_iters=0)),
    (EpochBasedTrainLoop, dict(max_epochs=0)),
    (EpochBasedTrainLoop, dict(max_epochs=-1)),
])
def test_a_training_has_a_length(kind, length):
    (name, value), = length.items()
    with pytest.raises(
            InputError, match=f'`train_cfg.{name}` .*got {value}'):
        check(loop=loop_of(kind, **length))


@pytest.mark.parametrize('kind, unit', [
    (IterBasedTrainLoop, 'iter'), (EpochBasedTrainLoop, 'epoch')])
@pytest.mark.parametrize('done, told', [(19, False), (20, True), (25, True)])
def test_a_resumed_run_at_its_end_is_told(caplog, kind, unit, done, told):
    check(loop=loop_of(kind, **{unit: done}))
    sentence = f'`train_cfg.max_{unit}s` should be more than the {done} that'
    assert told == (sentence in caplog.text)


BY_EPOCH = LoggerHook(log_metric_by_epoch=True)
BY_ITERATION = LoggerHook(log_metric_by_epoch=False)


@pytest.mark.parametrize('settings, told', [
    (dict(hooks=[BY_EPOCH]), '`log_metric_by_epoch` of LoggerHook should'),
    (dict(log_by_epoch=True, hooks=[BY_ITERATION]),
     '`log_processor.by_epoch` should'),
    (dict(log_by_epoch=True, hooks=[BY_EPOCH]),
     '`log_processor.by_epoch` and `log_metric_by_epoch` of LoggerHook'),
])
def test_validations_at_epoch_0_are_told(caplog, settings, told):
    check(**settings)
    assert told in caplog.text
    caplog.clear()
    check(kind=EpochBasedTrainLoop, **settings)
    assert not caplog.text


def test_validations_at_their_iteration_are_not(caplog):
    check(hooks=[BY_ITERATION])
    assert not caplog.text


def test_an_alignment_that_stays_off_is_told(caplog):
    check(model=nn.Sequential(GradientReversal(warmup_iters=200)))
    assert not caplog.text
    check(model=nn.Sequential(GradientReversal(warmup_iters=201)))
    assert '`warmup_iters` of' in caplog.text
    assert 'the 20 iterations' in caplog.text
    assert 'is 201:' in caplog.text


def test_epochs_count_as_their_iterations(caplog):
    model = GradientReversal(warmup_iters=201)
    check(loop=loop_of(EpochBasedTrainLoop, max_iters=40, max_epochs=2),
          model=model)
    assert not caplog.text


@pytest.mark.parametrize('path', [
    'optim_wrapper', 'optim_wrapper.generator', 'optim_wrapper.classifier'])
def test_custom_keys_of_no_parameter_are_told(caplog, path):
    keys = {'0.wei': dict(lr_mult=1), 'nekc': dict(lr_mult=1)}
    cfg = dict(paramwise_cfg=dict(custom_keys=keys))
    for name in reversed(path.split('.')):
        cfg = {name: cfg}
    check(model=nn.Sequential(nn.Linear(1, 1)), cfg=cfg)
    assert [record.getMessage() for record in caplog.records] == [
        f'`{path}.paramwise_cfg.custom_keys` should have parts of names of '
        "parameters, but 'nekc' is in none of the model: it changes nothing."]


class Weighted(TaskLossMixin, nn.Module):
    """A model whose losses have weights."""

    def __init__(self, **weights) -> None:
        super().__init__()
        self.tasks, self.uda_head = {}, nn.Identity()
        self.uda_head.tasks = {}
        vars(self.uda_head).update(weights)


def harmonizing() -> GHOptimWrapper:
    return GHOptimWrapper(
        optimizer=torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1),
        harmonizer=dict(type='mmgh.GH'))


@pytest.mark.parametrize('make', [harmonizing, lambda: OptimWrapperDict(
    generator=harmonizing(), classifier=wrapper())])
@pytest.mark.parametrize('weights, is_told', [
    (dict(loss_weight=0), True),
    (dict(loss_weight=0., balance_weight=0.01), True),
    (dict(loss_weight=0., entropy_weight=0.), True),
    (dict(loss_weight=0., entropy_weight=0.1), False),
    (dict(loss_weight=1e-9), False), ({}, False)])
def test_nothing_to_harmonize_is_told(caplog, make, weights, is_told):
    model = Weighted(**weights)
    check(optim_wrapper=make(), model=model)
    assert ('nothing to harmonize' in caplog.text) == is_told
    caplog.clear()
    check(optim_wrapper=wrapper(), model=model)  # it is a control
    assert 'nothing to harmonize' not in caplog.text


def domains(source: dict, target: dict, val: dict) -> dict:
    return dict(
        train_dataloader=dict(dataset=dict(source=source, target=target)),
        val_dataloader=dict(dataset=val))


AMAZON = dict(type='CustomDataset', data_root='amazon')
WEBCAM = dict(type='CustomDataset', data_root='webcam')


@pytest.mark.parametrize('cfg, text', [
    (domains(AMAZON, dict(AMAZON, pipeline=[1]), AMAZON), 'the same images'),
    (domains(AMAZON, WEBCAM, dict(AMAZON, test_mode=True)),
     '`val_dataloader.dataset` should be of the target, but is of the source'),
    (domains(AMAZON, WEBCAM, WEBCAM), None),
    (domains(dict(AMAZON, ann_file='a'), dict(AMAZON, ann_file='b'), AMAZON),
     None),
    (domains(dict(type='Digits', split='train'),
             dict(type='DigitsM', split='train'),
             dict(type='Digits', split='test')), 'so is the accuracy'),
    (dict(train_dataloader=dict(dataset=AMAZON)), None),
    ({}, None), (dict(val_dataloader=None), None)])
def test_domains_that_are_the_same_are_told(caplog, cfg, text):
    check(cfg=cfg)
    assert text in caplog.text if text else not caplog.text


@pytest.mark.parametrize('outer, inner, told', [
    (dict(mean=[0], to_rgb=True), dict(mean=[1]), r"lacks \['to_rgb'\]"),
    (dict(mean=[0]), dict(mean=[1], to_rgb=True), None),
    (None, dict(mean=[1]), None), (dict(mean=[0]), None, None)])
def test_a_preprocessor_that_is_replaced_in_part_is_told(caplog, outer, inner,
                                                         told):
    check(cfg=dict(data_preprocessor=outer,
                   model=dict(data_preprocessor=inner)))
    assert bool(told) == bool(caplog.text)
    assert re.search(told or '', caplog.text)


MIXUP = dict(augments=dict(type='Mixup', alpha=.5))


def mixing(augments: dict | None, **weights) -> Weighted:
    model = Weighted(**weights)
    model.data_preprocessor = DomainPairDataPreprocessor(
        dict(type='mmpretrain.ClsDataPreprocessor',
             batch_augments=augments))
    return model


@pytest.mark.parametrize('model, hooks, is_told', [
    (mixing(MIXUP), (), True),
    (mixing(MIXUP, loss_weight=1.), (), True),
    (mixing(MIXUP, loss_weight=0.), (), False),
    (mixing(None), (), False),
    (mixing(None), [SwitchRecipeHook([dict(action_epoch=2,
                                           batch_augments=MIXUP)])], True),
    (mixing(None), [SwitchRecipeHook([dict(action_epoch=2)])], False),
])
def test_mixing_of_the_source_alone_is_told(caplog, model, hooks, is_told):
    check(model=model, hooks=hooks)
    assert ('the source alone' in caplog.text) == is_told
