"""tools/train.py and tools/test.py as a user calls them."""
from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import load_checkpoint
from mmpretrain import ImageClassificationInferencer
from mmpretrain.registry import MODELS
from PIL import Image

from mmgh.datasets import DigitsM
from .short_runs import (assert_same, assert_same_training, logged, read,
                         stop_after_three)

ROOT = Path(__file__).parents[2]
DANN = str(ROOT / 'configs/dann/dann{}_lenet_1xb32-1k_digits-digits2digitsm.py'
           )
SOURCE = str(ROOT / 'configs/source_only/'
             'source-only_lenet_1xb32-1k_digits-digits2digitsm.py')
WARMUP = 'model.uda_head.reversal.warmup_iters=6'


@pytest.fixture(scope='module')
def trained(train, tmp_path_factory) -> Path:
    """Work directory of a finished run of DANN+GH."""
    work_dir = tmp_path_factory.mktemp('trained')
    train(DANN.format('-gh'), work_dir, WARMUP)
    return work_dir


def test_resumed_run_equals_an_uninterrupted_one(trained, train, tmp_path):
    """Stopped in the middle of the warm-up; the model has dropout."""
    stopped = stop_after_three(trained, tmp_path / 'stopped')
    resumed = train(DANN.format('-gh'), stopped, WARMUP, resume=True)
    whole = read(trained / 'iter_6.pth')
    assert_same_training(resumed, whole)
    assert resumed['state_dict']['uda_head.reversal.iteration'] == 6
    for name in ('cosine', 'reversal', 'lr'):
        assert len(logged(whole, name)) == 6


def test_augmentation_resumes_too(train, tmp_path):
    """In the main process it shares the random numbers of the model."""
    config = Config.fromfile(DANN.format(''))
    flips = [dict(type='RandomFlip', prob=0.5), dict(type='PackInputs')]
    for domain in ('source', 'target'):
        config.train_dataloader.dataset[domain].pipeline = flips
    path = tmp_path / 'flips.py'
    config.dump(path)
    whole = train(path, tmp_path / 'whole')
    stopped = stop_after_three(tmp_path / 'whole', tmp_path / 'stopped')
    assert_same(
        train(path, stopped, resume=True)['state_dict'], whole['state_dict'])


@pytest.mark.parametrize('labels', ['Shuffled', 'Removed'])
def test_labels_of_the_target_change_nothing(trained, train, tmp_path, labels):
    """Not one label of a target training image reaches the model."""
    config = Config.fromfile(DANN.format('-gh'))
    target = config.train_dataloader.dataset.target
    target.type = f'mmgh.DigitsMWithLabels{labels}'
    config.custom_imports = dict(imports=['tests.test_tools.wrong_labels'])
    path = tmp_path / 'wrong_labels.py'
    config.dump(path)
    checkpoint = train(path, tmp_path, WARMUP)
    assert_same(checkpoint['state_dict'],
                read(trained / 'iter_6.pth')['state_dict'])


def plain_config() -> Config:
    """The config with an ordinary mmpretrain classifier in it."""
    config = Config.fromfile(DANN.format('-gh'))
    config.model.pop('uda_head')
    config.model.type = 'ImageClassifier'
    return config


def test_checkpoint_serves_a_plain_classifier(trained):
    image = DigitsM('test').get_data_info(0)['img']
    batch = dict(inputs=torch.tensor(image).permute(2, 0, 1)[None])
    scores = []
    for config in (Config.fromfile(DANN.format('-gh')), plain_config()):
        model = MODELS.build(
            {'data_preprocessor': config.data_preprocessor, **config.model})
        load_checkpoint(model, str(trained / 'iter_6.pth'))
        scores.append(model.eval().test_step(batch)[0].pred_score)
    assert torch.equal(*scores)


def test_inferencer_of_mmpretrain_classifies_an_image_file(trained, tmp_path):
    data = DigitsM('test').get_data_info(0)['img']
    path = tmp_path / 'image.png'
    Image.fromarray(data[..., ::-1]).save(path)  # files are read as BGR
    config = plain_config()
    config.test_dataloader.dataset.pipeline = [
        dict(type='LoadImageFromFile'),
        dict(type='PackInputs')
    ]
    inferencer = ImageClassificationInferencer(
        config, pretrained=str(trained / 'iter_6.pth'), device='cpu')
    result = inferencer(str(path))[0]

    model = inferencer.model
    batch = dict(inputs=torch.tensor(data).permute(2, 0, 1)[None])
    expected = model.test_step(batch)[0]
    assert result['pred_label'] == expected.pred_label.item()
    torch.testing.assert_close(
        torch.tensor(result['pred_scores']), expected.pred_score)


@pytest.mark.parametrize('tta', [False, True])
def test_test_tool_evaluates_the_target(trained, tools, tmp_path, tta):
    out = tmp_path / 'out.json'
    tools('test', DANN.format('-gh'), trained / 'iter_6.pth', '--work-dir',
          tmp_path, '--out', out, '--out-item', 'metrics',
          *(['--tta'] if tta else []))
    accuracy = json.loads(out.read_text())['accuracy/top1']
    if not tta:
        log = next(trained.glob('*/*.log')).read_text()
        assert f'accuracy/top1: {accuracy:.4f}' in log


def test_log_shows_the_conflict_and_the_time_left(trained):
    log = next(trained.glob('*/*.log')).read_text()
    for name in ('eta: ', 'conflict: ', 'angle: ', 'weight_alignment: ',
                 'weight_cls: ', 'reversal: '):
        assert name in log


@pytest.mark.parametrize('config, options, message', [
    (DANN.format('-gh'), ['optim_wrapper.harmonizer.type=mmgh.GHH'],
     "'mmgh.GHH' is not. Do you mean `mmgh.GH`"),
    (DANN.format('-ghpp'), ['optim_wrapper.harmonizer.harmonic_range=2'],
     r'`harmonic_range` should be a number in \[0, 1\], but got 2'),
    (SOURCE, [
        'optim_wrapper.type=mmgh.GHOptimWrapper',
        'optim_wrapper.harmonizer.type=mmgh.GH'
    ], 'should carry its task losses'),
    (SOURCE,
     ['model.type=mmgh.UDAClassifier', 'model.uda_head.type=mmgh.DANNHead'],
     'should be trained on a domain pair'),
    (DANN.format(''),
     ['train_dataloader.dataset.target.type=CustomDataset',
      'train_dataloader.dataset.target.data_root=nowhere'],
     '`train_dataloader.dataset.target` should have .* has `split`'),
    (DANN.format(''), ['train_dataloader.dataset.target.indices=[]'],
     'The target domain should be a data set'),
])
def test_bad_config_is_refused(train, tmp_path, config, options, message):
    with pytest.raises((Exception, SystemExit), match=message):
        train(config, tmp_path, *options)


def test_paired_loader_with_a_plain_model_is_refused(train, tmp_path):
    config = Config.fromfile(DANN.format(''))
    config.model = plain_config().model
    path = tmp_path / 'plain.py'
    config.dump(path)
    with pytest.raises(SystemExit, match='one domain.*UDAClassifier'):
        train(path, tmp_path)


@pytest.mark.parametrize('found, expected', [
    ('OptimWrapper', 'AmpOptimWrapper'),
    ('mmgh.GHOptimWrapper', 'mmgh.GHAmpOptimWrapper'),
    ('AmpOptimWrapper', 'AmpOptimWrapper'),
    ('mmgh.GHAmpOptimWrapper', 'mmgh.GHAmpOptimWrapper'),
])
def test_amp_keeps_the_harmonization(load_tool, monkeypatch, found, expected):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    config = Config(dict(optim_wrapper=dict(type=found, interval=2)))
    load_tool('train').enable_amp(config)
    assert config.optim_wrapper == dict(
        type=expected, interval=2, loss_scale='dynamic')


def test_amp_refuses_a_wrapper_that_it_does_not_know(load_tool,
                                                     monkeypatch):
    """The switch to another wrapper would silently lose what it does."""
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    config = Config(dict(optim_wrapper=dict(type='ApexOptimWrapper')))
    with pytest.raises(SystemExit, match='OptimWrapper or mmgh.GHOptimWrapper,'
                       ' but the config has ApexOptimWrapper'):
        load_tool('train').enable_amp(config)


@pytest.mark.parametrize('probe', ['parameters', 'features'])
def test_model_of_two_tasks_and_one_domain(train, tmp_path, probe):
    """A plain BaseModel with the mixin, defined beside its config."""
    config = (ROOT / 'configs/multi_task' /
              'multi-task-ghpp_lenet_1xb32-1k_digitsm.py')
    hub = train(config, tmp_path,
                f'optim_wrapper.probe={probe}')['message_hub']
    for name in ('weight_digit', 'weight_ink', 'angle', 'loss_ink'):
        values, _ = hub['log_scalars'][f'train/{name}'].data
        assert len(values) == 6 and all(values > 0)


def test_epochs_of_a_finite_sampler(tools, tmp_path):
    """An epoch-based config of the zoo stays one."""
    config = Config.fromfile(DANN.format('-gh'))
    config.train_cfg = dict(by_epoch=True, max_epochs=2, val_interval=1)
    config.train_dataloader.sampler.infinite = False
    config.train_dataloader.batch_size = 64
    config.param_scheduler.by_epoch = True
    config.default_hooks.checkpoint = dict(type='CheckpointHook', interval=1)
    path = tmp_path / 'epochs.py'
    config.dump(path)
    tools('train', path, '--work-dir', tmp_path, '--cfg-options',
          'experiment_name=epochs')
    # 697 source images are more than 600 target images.
    assert read(tmp_path / 'epoch_2.pth')['meta']['iter'] == 2 * 11


def test_weights_that_cannot_be_downloaded_end_in_one_line(train, tmp_path):
    nowhere = 'http://127.0.0.1:1/weights.pth'
    with pytest.raises(SystemExit, match='name a file: .*rror'):
        train(DANN.format(''), tmp_path / 'run',
              'model.backbone.init_cfg.type=Pretrained',
              f'model.backbone.init_cfg.checkpoint={nowhere}')


def test_training_that_diverges_ends_in_one_line(train, tmp_path):
    with pytest.raises(SystemExit) as exit:
        train(DANN.format('-gh'), tmp_path, 'optim_wrapper.optimizer.type=SGD',
              'optim_wrapper.optimizer.lr=1e12')
    assert 'diverged in iteration 2' in exit.value.code
    assert '\n' not in exit.value.code
    assert not list(tmp_path.glob('*.pth'))


@pytest.mark.skipif(torch.cuda.is_available(), reason='there is a GPU')
@pytest.mark.parametrize('tool, args', [('train', []),
                                        ('test', ['checkpoint.pth'])])
def test_amp_without_a_gpu_is_refused(tool, args):
    result = subprocess.run(
        [sys.executable, ROOT / f'tools/{tool}.py', DANN.format(''), *args,
         '--amp'],
        capture_output=True,
        text=True,
        env={'PYTHONPATH': str(ROOT)})
    assert result.returncode == 1
    assert result.stderr.strip().splitlines()[-1] == (
        '--amp needs a GPU, but torch finds none.')


def test_another_config_of_a_resumed_run_is_told(train, tmp_path):
    train(DANN.format('-gh'), tmp_path)
    (tmp_path / 'iter_6.pth').unlink()
    train(DANN.format('-gh'), tmp_path, 'model.uda_head.loss_weight=0.5',
          resume=True)
    log = max(tmp_path.glob('*/*.log')).read_text()
    assert ('neither the one nor the other, as these settings are no more '
            'those of the run so far: model.uda_head.loss_weight is 0.5, was '
            'None.') in log


@pytest.mark.parametrize('setting, value', [
    ('model.head.num_classes', 10.0), ('model.head.in_channels', 51.2),
    ('train_cfg.max_iters', 0), ('train_cfg.max_iters', 6.5),
    ('train_cfg.max_iters', -1), ('model.uda_head.loss_weight', None),
    ('optim_wrapper.max_weight', 'two')])
def test_a_number_that_does_not_fit_is_one_line(tools, tmp_path, setting,
                                                value):
    child = tmp_path / 'child.py'
    for key in reversed(setting.split('.')):
        value = {key: value}
    lines = [f'{name} = {part!r}' for name, part in value.items()]
    child.write_text('\n'.join([f"_base_ = '{DANN.format('-gh')}'", *lines]))
    name = setting.rpartition('.')[-1]
    with pytest.raises(SystemExit, match=f'^`[a-z_.]*{name}` should be a .*'
                       'number.* but got [^\n]*$'):
        tools('train', child, '--work-dir', tmp_path)


def test_a_written_config_with_an_infinite_number_trains_again(
        train, tmp_path):
    """As it stands in the directory of a run."""
    first = train(DANN.format('-gh'), tmp_path / 'first',
                  'optim_wrapper.max_weight=100.')
    config, = (tmp_path / 'first').glob('*.py')
    text = config.read_text()
    assert 'max_weight=100.0' in text
    config.write_text(text.replace('max_weight=100.0', 'max_weight=inf'))
    second = train(config, tmp_path / 'second')
    assert_same(first['state_dict'], second['state_dict'])
    written, = (tmp_path / 'second').glob('*.py')
    assert 'max_weight=inf' in written.read_text()
    third = train(written, tmp_path / 'third')
    assert_same(third['state_dict'], second['state_dict'])
