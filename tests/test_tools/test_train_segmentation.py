"""The config of segmentation, trained by its file and two overrides."""
from __future__ import annotations

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope
from mmengine.runner import Runner

from ..config_names import SEGMENTATION

CONFIG, = SEGMENTATION
HARMONIZED = {
    'optim_wrapper.type': 'mmgh.GHOptimWrapper',
    'optim_wrapper.harmonizer': dict(type='mmgh.GHPlusPlus'),
}
OVERRIDES = pytest.mark.parametrize(
    'overrides', [{}, HARMONIZED], ids=['plain', 'harmonized'])


@pytest.fixture(autouse=True)
def with_mmseg():
    pytest.importorskip('mmseg')


def config(work_dir: Path, **overrides) -> Config:
    cfg = Config.fromfile(CONFIG)
    cfg.merge_from_dict({
        'work_dir': str(work_dir),
        'experiment_name': f'seg_{work_dir.parent.name}_{work_dir.name}',
        'train_dataloader.batch_size': 3,
        'test_dataloader.batch_size': 16,
        'val_dataloader.batch_size': 16,
        'train_cfg.max_iters': 6,
        'train_cfg.val_interval': 6,
        'default_hooks.checkpoint.interval': 3,
        **overrides,
    })
    return cfg


def trained(cfg: Config) -> Runner:
    runner = Runner.from_cfg(cfg)
    runner.train()
    return runner


def logged(runner: Runner) -> dict[str, list]:
    return {
        name: buffer.data[0].tolist()
        for name, buffer in runner.message_hub.log_scalars.items()
        if 'time' not in name
    }


@OVERRIDES
def test_resumed_training_equals_an_uninterrupted_one(tmp_path, overrides):
    whole = trained(config(tmp_path / 'whole', **overrides))
    resumed = trained(
        config(
            tmp_path / 'resumed',
            resume=True,
            load_from=str(tmp_path / 'whole' / 'iter_3.pth'),
            **overrides))
    for part in ('model', 'optim_wrapper'):
        torch.testing.assert_close(
            getattr(resumed, part).state_dict(),
            getattr(whole, part).state_dict(),
            rtol=0,
            atol=0)
    assert logged(resumed) == logged(whole)


@OVERRIDES
def test_training_logs_losses_metrics_and_conflict(tmp_path, overrides):
    runner = trained(config(tmp_path / 'run', **overrides))
    log = logged(runner)
    for name in ('loss_domain', 'decode.loss_ce', 'aux.loss_ce'):
        assert len(log[f'train/{name}']) == 6
        assert torch.tensor(log[f'train/{name}']).isfinite().all()
    assert len(log['val/mIoU']) == 1
    for name in ('conflict', 'angle', 'weight_cls', 'weight_alignment'):
        assert (f'train/{name}' in log) == bool(overrides)
    if overrides:
        assert len(log['train/conflict']) == 6
        assert set(log['train/conflict']) <= {0, 1}
    names = {type(hook).__name__ for hook in runner.hooks}
    assert {'ExactResumeHook', 'ClassCheckHook', 'DivergenceHook'} <= names


def test_harmonized_training_is_another_one_and_the_model_the_same(tmp_path):
    halved = dict(
        HARMONIZED, **{
            'optim_wrapper.harmonizer': dict(
                type='mmgh.Constant', weights=dict(alignment=0.5))
        })
    plain, harmonized = (
        trained(config(tmp_path / name, **overrides)).model
        for name, overrides in (('plain', {}), ('harmonized', halved)))
    assert list(plain.state_dict()) == list(harmonized.state_dict())
    assert not torch.equal(plain.decode_head.conv_seg.weight,
                           harmonized.decode_head.conv_seg.weight)


def test_segmentation_weights_load_into_the_plain_segmentor(tmp_path):
    cfg = config(tmp_path / 'run')
    runner = trained(cfg)
    model = cfg.model.copy()
    model.type = 'EncoderDecoder'
    del model['uda_head']
    with DefaultScope.overwrite_default_scope('mmseg'):
        plain = MODELS.build(model)
    state = torch.load(tmp_path / 'run' / 'iter_6.pth')['state_dict']
    result = plain.load_state_dict(state, strict=False)
    assert not result.missing_keys
    assert {key.split('.')[0] for key in result.unexpected_keys} == {
        'uda_head'}
    item = next(iter(runner.val_dataloader))
    with torch.no_grad():
        ours, theirs = (net.eval().test_step(item)
                        for net in (runner.model, plain))
    for one, other in zip(ours, theirs):
        assert torch.equal(one.seg_logits.data, other.seg_logits.data)


def test_classes_of_the_model_should_be_those_of_the_data(tmp_path):
    cfg = config(tmp_path / 'run')
    for name in ('decode_head', 'auxiliary_head'):
        cfg.model[name].num_classes = 4
    with pytest.raises(ValueError, match='num_classes` should be 3'):
        trained(cfg)


def test_tools_train_harmonize_and_test_it(tools, tmp_path, capsys):
    small = ['--cfg-options', 'train_cfg.max_iters=2',
             'train_cfg.val_interval=2', 'train_dataloader.batch_size=3',
             f'experiment_name=tools_{tmp_path.name}']
    tools('train', CONFIG, '--work-dir', tmp_path, '--harmonizer', 'GH',
          *small)
    checkpoint = torch.load(tmp_path / 'iter_2.pth')
    scalars = checkpoint['message_hub']['log_scalars']
    assert {'train/conflict', 'train/decode.loss_ce'} <= set(scalars)
    tools('test', CONFIG, tmp_path / 'iter_2.pth', '--work-dir',
          tmp_path / 'test', '--cfg-options',
          f'experiment_name=tested_{tmp_path.name}')
    assert list((tmp_path / 'test').rglob('*.json'))
