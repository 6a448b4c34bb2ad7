"""MMEngine's other runner, which builds the model late, and loads before it
runs."""
from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import pytest
import torch
from mmengine.registry import HOOKS, RUNNERS
from mmengine.runner import FlexibleRunner

from mmgh.config_file import read_config
from mmgh.default_hooks import DEFAULT_HOOKS
from mmgh.hooks import AtomicCheckpointHook
from mmgh.input_error import InputError
from ..log_warnings import warnings_of

READ = read_config('mmgh::dann/dann-ghpp_lenet_1xb32-1k_digits-digits2digitsm'
                   '.py')


def make_runner(work_dir: Path, **settings) -> FlexibleRunner:
    """Four iterations on mmpretrain's own base, which names no hook of
    ours."""
    cfg = deepcopy(READ)
    cfg.default_hooks = dict(
        logger=dict(type='LoggerHook', interval=1),
        checkpoint=dict(type='CheckpointHook', by_epoch=False, interval=2))
    cfg.merge_from_dict({
        'runner_type': 'FlexibleRunner',
        'strategy': dict(type='SingleDeviceStrategy'),
        'work_dir': str(work_dir),
        'experiment_name': f'{work_dir.name}_{len(settings)}',
        'train_cfg.max_iters': 4,
        'train_cfg.val_interval': 2,
        'train_dataloader.batch_size': 4,
        'val_dataloader.dataset.indices': 20,
        **settings
    })
    return RUNNERS.build(cfg)


def test_each_hook_joins(tmp_path):
    runner = make_runner(tmp_path)
    kinds = [type(hook) for hook in runner.hooks]
    assert isinstance(runner, FlexibleRunner)
    for kind in [*map(HOOKS.get, DEFAULT_HOOKS.values()),
                 AtomicCheckpointHook]:
        assert kinds.count(kind) == 1


def test_other_models_keep_their_hooks(tmp_path):
    settings = dict(
        model=dict(
            _delete_=True,
            type='ImageClassifier',
            backbone=dict(type='mmgh.DigitsLeNet'),
            head=dict(type='LinearClsHead', in_channels=512, num_classes=10)),
        optim_wrapper=dict(
            _delete_=True, optimizer=dict(type='SGD', lr=0.1)))
    runner = make_runner(tmp_path, **settings)
    ours = tuple(map(HOOKS.get, DEFAULT_HOOKS.values()))
    assert not any(isinstance(hook, ours) for hook in runner.hooks)


def test_slips_are_refused(tmp_path):
    with pytest.raises(InputError, match='`optim_wrapper` .* `optim_wraper`'):
        make_runner(tmp_path, optim_wraper=dict(interval=2))
    with pytest.raises(InputError, match='`train_cfg.max_iters` .* got 0'):
        make_runner(tmp_path, **{'train_cfg.max_iters': 0})
    with pytest.raises(ValueError, match='`model.head.num_classes` should be '
                       '10, .*got 7'):
        make_runner(tmp_path, **{'model.head.num_classes': 7}).train()


def test_resumed_run_equals_an_uninterrupted_one(tmp_path):
    """Also where the directory was moved, and without `last_checkpoint`."""
    make_runner(tmp_path / 'whole').train()
    stopped = tmp_path / 'stopped'
    stopped.mkdir()
    (tmp_path / 'whole/iter_2.pth').rename(stopped / 'iter_2.pth')
    make_runner(stopped, resume=True).train()
    whole, resumed = (torch.load(tmp_path / f'{name}/iter_4.pth')
                      for name in ('whole', 'stopped'))
    for key in ('state_dict', 'optimizer'):
        torch.testing.assert_close(whole[key], resumed[key], rtol=0, atol=0)
    assert whole['param_schedulers'] == resumed['param_schedulers']
    changed = {'optim_wrapper.optimizer.lr': 0.5, 'resume': True}
    (tmp_path / 'stopped/iter_4.pth').unlink()
    runner = make_runner(stopped, **changed)
    told = warnings_of(runner.train)
    assert any('optim_wrapper.lr is 0.5, was 0.001' in text for text in told)
