"""A training whose config marks the losses of a model of mmpretrain."""
from __future__ import annotations

from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.registry import DATASETS
from mmengine.runner import FlexibleRunner, Runner, load_checkpoint

from mmgh.default_hooks import DEFAULT_HOOKS
from mmgh.task_losses import TaskMarked
from .marked_models import MULTI_TASK, OF_MULTI_TASK, multi_task_batch, plain


@DATASETS.register_module(force=True)
class TwoLabels(torch.utils.data.Dataset):
    """Images with two labels each."""

    metainfo: dict = {}

    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> dict:
        batch = multi_task_batch(len(self))
        return {name: values[index] for name, values in batch.items()}


def config(work_dir: Path) -> Config:
    """As of mmpretrain, where the preprocessor stands beside the model."""
    return Config(
        dict(
            model=dict(
                type='mmgh.TaskMarked', model=MULTI_TASK,
                tasks=OF_MULTI_TASK, features='backbone'),
            data_preprocessor=dict(
                type='ClsDataPreprocessor', mean=[0.5] * 3, std=[2.] * 3),
            train_dataloader=dict(
                batch_size=4,
                num_workers=0,
                dataset=dict(type='TwoLabels'),
                sampler=dict(type='mmengine.InfiniteSampler')),
            train_cfg=dict(by_epoch=False, max_iters=4),
            optim_wrapper=dict(
                type='mmgh.GHOptimWrapper',
                probe='features',
                harmonizer=dict(type='mmgh.GHPlusPlus'),
                optimizer=dict(type='SGD', lr=0.05, momentum=0.9)),
            default_hooks=dict(
                checkpoint=dict(
                    type='CheckpointHook', by_epoch=False, interval=2),
                exact_resume=dict(type='mmgh.ExactResumeHook')),
            log_processor=dict(by_epoch=False),
            env_cfg=dict(dist_cfg=dict(backend='gloo')),
            randomness=dict(seed=1),
            default_scope='mmpretrain',
            experiment_name=f'marked_{work_dir.name}',
            work_dir=str(work_dir)))


def trained(cfg: Config, kind: type = Runner) -> torch.nn.Module:
    runner = kind.from_cfg(cfg)
    runner.train()
    return runner.model


def test_checkpoint_of_a_training_loads_into_the_plain_model(tmp_path):
    model = trained(config(tmp_path))
    assert isinstance(model, TaskMarked)
    assert model.data_preprocessor.mean.flatten().tolist() == [0.5] * 3
    path = str(tmp_path / 'iter_4.pth')
    other = plain(MULTI_TASK, seed=7)
    load_checkpoint(other, path, strict=True)
    batch = multi_task_batch()
    for net in (model, other):
        net.eval()
    with torch.no_grad():
        torch.testing.assert_close(
            other(batch['inputs']), model(batch['inputs']), rtol=0, atol=0)


def test_resumed_training_equals_an_uninterrupted_one(tmp_path):
    whole = trained(config(tmp_path / 'whole'))
    cfg = config(tmp_path / 'resumed')
    cfg.merge_from_dict(
        dict(resume=True, load_from=str(tmp_path / 'whole/iter_2.pth')))
    resumed = trained(cfg)
    torch.testing.assert_close(
        resumed.state_dict(), whole.state_dict(), rtol=0, atol=0)


def test_only_hooks_that_the_config_names_join(tmp_path):
    """Those of ours are for classifiers that adapt."""
    runner = Runner.from_cfg(config(tmp_path))
    ours = {type(hook).__name__ for hook in runner.hooks
            if type(hook).__module__.startswith('mmgh.')}
    assert ours == {'ExactResumeHook'}
    assert len(DEFAULT_HOOKS) > 1


def test_the_other_runner_of_mmengine_trains_it(tmp_path):
    model = trained(config(tmp_path), FlexibleRunner)
    assert isinstance(model, TaskMarked)
