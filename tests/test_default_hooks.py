"""Hooks that join the runners of our models, whatever the config names."""
from __future__ import annotations

from collections import Counter
from copy import deepcopy
from pathlib import Path
from types import SimpleNamespace

import pytest
from mmengine.config import Config
from mmengine.hooks import CheckpointHook, SyncBuffersHook
from mmengine.model import BaseModel
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from torch import nn

from mmgh import default_hooks
from mmgh.config_file import read_config
from mmgh.default_hooks import DEFAULT_HOOKS, with_default_hooks
from mmgh.hooks import ClassCheckHook
from mmgh.input_error import InputError
from mmgh.task_losses import TaskLossMixin

CONFIG = Path(__file__).parents[1] / (
    'configs/dann/dann-ghpp_lenet_1xb32-1k_digits-digits2digitsm.py')
READ = read_config(CONFIG)
OURS = [HOOKS.get(kind) for kind in DEFAULT_HOOKS.values()]


class HookOfAUser(CheckpointHook):
    """It saves in a way of its own."""


@pytest.fixture
def run(tmp_path):
    """``run(**settings)`` is a runner of a config on mmpretrain's own base,
    which names no hook of ours."""

    def build(**settings) -> Runner:
        cfg = deepcopy(READ)
        cfg.work_dir = str(tmp_path)
        cfg.default_hooks = dict(
            logger=dict(type='LoggerHook'),
            checkpoint=dict(type='CheckpointHook', by_epoch=False))
        cfg.custom_hooks = []
        cfg.merge_from_dict(settings)
        return Runner.from_cfg(cfg)

    return build


def counts(runner: Runner) -> Counter:
    return Counter(type(hook) for hook in runner.hooks)


def test_each_joins_once(run):
    found = counts(run())
    assert all(found[kind] == 1 for kind in OURS)


def test_one_that_is_there_stays_alone(run):
    mine = dict(type='mmgh.ClassCheckHook', priority='LOW')
    for settings in (dict(custom_hooks=[mine]),
                     dict(default_hooks=dict(class_check=mine)),
                     dict(default_hooks=dict(another_name=mine))):
        assert counts(run(**settings))[ClassCheckHook] == 1


@pytest.mark.parametrize('name', DEFAULT_HOOKS)
def test_each_can_be_turned_off_and_replaced(run, name):
    kind = HOOKS.get(DEFAULT_HOOKS[name])
    assert not counts(run(default_hooks={name: None}))[kind]


def test_other_models_keep_their_hooks(run):
    plain = dict(
        type='ImageClassifier',
        backbone=dict(type='mmgh.DigitsLeNet'),
        head=dict(type='LinearClsHead', in_channels=512, num_classes=10))
    cfg = dict(model=dict(_delete_=True, **plain))
    runner = run(**cfg, optim_wrapper=dict(_delete_=True, type='OptimWrapper',
                                           optimizer=dict(type='SGD', lr=1)))
    assert not any(counts(runner)[kind] for kind in OURS)


class TwoTasks(TaskLossMixin, BaseModel):
    """A model of a user, with a slip in its config."""

    tasks = dict(loss_a='a', loss_b='b')

    def forward(self, inputs):
        return inputs


@pytest.mark.parametrize('model', [TwoTasks(), nn.Linear(1, 1)])
def test_models_of_users_keep_their_hooks(model):
    given = []
    register_hooks = default_hooks._joined(lambda runner, *hooks: given.append(
        hooks))
    register_hooks(SimpleNamespace(model=model, cfg={}), dict(a=None), [])
    assert given == [(dict(a=None), [])]
    slip = SimpleNamespace(model=model, cfg=dict(optim_wraper={}))
    if isinstance(model, TwoTasks):
        with pytest.raises(InputError, match='optim_wraper'):
            register_hooks(slip)
    else:
        register_hooks(slip)


def test_joining_again_changes_nothing(run):
    own = Runner.register_hooks._before_mmgh
    for _ in range(3):
        default_hooks.join_runners()
    assert Runner.register_hooks._before_mmgh is own
    assert all(counts(run())[kind] == 1 for kind in OURS)


@pytest.mark.parametrize('given', [
    None, dict(type='CheckpointHook', by_epoch=False, interval=7)])
def test_the_checkpoint_hook_of_mmengine_gives_way(given):
    hooks = None if given is None else dict(checkpoint=given)
    found = default_hooks.with_default_hooks(hooks, None)['checkpoint']
    assert found == {**(given or dict(interval=1)),
                     'type': 'mmgh.AtomicCheckpointHook'}


@pytest.mark.parametrize('given', [None, HookOfAUser(),
                                   dict(type=HookOfAUser, interval=3)])
def test_other_checkpoint_hooks_stay(given):
    found = default_hooks.with_default_hooks(dict(checkpoint=given), None)
    assert found['checkpoint'] is given


def test_hooks_of_the_user_stay(run):
    runner = run(custom_hooks=[dict(type='SyncBuffersHook')])
    assert counts(runner)[SyncBuffersHook] == 1


@pytest.mark.parametrize('hook', [
    ClassCheckHook(), dict(type=ClassCheckHook),
    dict(type='mmgh.ClassCheckHook')
])
def test_a_hook_may_be_given_in_any_form(hook):
    for given in (({}, [hook]), (dict(a=hook), None)):
        completed = default_hooks.with_default_hooks(*given)
        assert 'class_check' not in completed


def test_a_slip_is_refused_without_our_tools(run):
    with pytest.raises(InputError, match='`optim_wrapper` .* `optim_wraper`'):
        run(optim_wraper=dict(interval=2))


@pytest.mark.parametrize('number', [5, 1000])
def test_a_head_for_other_classes_is_refused_without_our_tools(run, number):
    runner = run(**{'model.head.num_classes': number})
    with pytest.raises(ValueError, match='`model.head.num_classes` should be '
                       f'10, .*got {number}'):
        runner.train()


def test_a_config_that_names_them_is_as_it_was():
    given = Config(dict(default_hooks=READ.default_hooks)).default_hooks
    completed = default_hooks.with_default_hooks(given, READ.custom_hooks)
    assert completed == given


def test_a_hook_of_any_name_can_be_turned_off():
    """MMEngine fails at those that it does not have by default."""
    hooks = with_default_hooks(dict(visualization=None, timer=None), None)
    assert 'visualization' not in hooks
    assert hooks['timer'] is None
