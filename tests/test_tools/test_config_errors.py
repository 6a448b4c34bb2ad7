"""Slips in a config, of which a constructor knows only its own part."""
from __future__ import annotations

from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.registry import HOOKS, init_default_scope

from mmgh.config_errors import error_of_config
from mmgh.registry import OPTIM_WRAPPERS, TASK_UTILS
from ..registered_classes import REGISTERED
from ..test_datasets.layouts import write_image

DANN = str(
    Path(__file__).parents[2] /
    'configs/dann/dann-ghpp_lenet_1xb32-1k_digits-digits2digitsm.py')


@pytest.mark.parametrize('setting, sentence', [
    ('optim_wrapper.harmonizer.harmonic_rang',
     '`optim_wrapper.harmonizer` should have arguments of GHPlusPlus, but has '
     '`harmonic_rang`. Do you mean `harmonic_range`?'),
    # Handed on to a base, and not ours.
    ('model.uda_head.loss_wight', '.*DANNHead.* mean `loss_weight`'),
    ('optim_wrapper.max_wieght', '.*GHOptimWrapper.* mean `max_weight`'),
    ('optim_wrapper.clip_gard', '.*GHOptimWrapper.* mean `clip_grad`'),
    ('optim_wrapper.optimizer.momentun', ".*Adam, .*'weight_decay'"),
    # Of what is built without a type; and by a data set, as its own error.
    ('model.uda_head.reversal.alhpa', '.*GradientReversal'),
    ('train_dataloader.dataset.source.pipeline.0.crop_siz',
     '.*RandomCrop.* mean `crop_size`'),
    ('model.head.num_clases', '.*LinearClsHead.* mean `num_classes`'),
    ('default_hooks.divergence.stpo', '.*DivergenceHook.* mean `stop`'),
    ('train_cfg.val_intervall', '.*IterBasedTrainLoop.* mean `val_interval`'),
    ('val_dataloader.dataset.splitt', '.*DigitsM.* mean `split`'),
    ('val_dataloader.batch_sise', '.*DataLoader.* mean `batch_size`'),
    ('val_evaluator.topkk', '.*Accuracy.* mean `topk`'),
])
def test_an_argument_that_there_is_not_is_one_line(setting, sentence, tools,
                                                   tmp_path):
    with pytest.raises(SystemExit, match=sentence) as exit:
        tools('train', DANN, '--work-dir', tmp_path, '--cfg-options',
              f'{setting}=1')
    assert f"`{setting.rpartition('.')[0]}`" in exit.value.code


@pytest.mark.parametrize('setting, value, sentence', [
    ('model.uda_head.type', 'mmgh.DANHed', 'Do you mean `mmgh.DANHead`'),
    # Another name is closer.
    ('model.uda_head.type', 'CDANHead', 'Do you mean `mmgh.CDANHead`'),
    ('model.uda_head.type', 'DANNHead', 'Do you mean `mmgh.DANNHead`'),
    ('model.head.type', 'LinearClassHead', 'Do you mean `LinearClsHead`'),
    ('optim_wrapper.harmonizer.type', 'mmgh.GHPlus', 'mean `mmgh.GHPlusPlus`'),
    ('train_dataloader.sampler.type', 'DomainPairSampler',
     'Do you mean `mmgh.DomainPairSampler`'),
])
def test_a_type_that_there_is_not_is_one_line(setting, value, sentence, tools,
                                              tmp_path):
    with pytest.raises(SystemExit, match=f'`{setting}` should .*{value!r} is '
                       f'not. .*{sentence}'):
        tools('train', DANN, '--work-dir', tmp_path, '--cfg-options',
              f'{setting}={value}')


@pytest.mark.parametrize('text, sentence', [
    ("default_hooks = dict(checkpoint=dict(save_best=['accuracy/top1', "
     "'single-label/f1-score']))",
     "`default_hooks.checkpoint.rule` should .*'single-label/f1-score' does"),
    ("custom_hooks = [dict(type='EarlyStoppingHook', monitor='mine/score')]",
     "`custom_hooks.0.rule` should .* with `monitor='mine/score'`"),
])
def test_a_metric_of_unknown_rule_is_one_line(text, sentence, tools, tmp_path):
    child = tmp_path / 'child.py'
    child.write_text(f"_base_ = '{DANN}'\n{text}")
    with pytest.raises(SystemExit, match=sentence):
        tools('train', child, '--work-dir', tmp_path)


FOLDERS = Path(DANN).parents[1] / 'folders/dann-ghpp_resnet18_folders.py'


@pytest.mark.parametrize('text, sentence', [
    ("train_dataloader = dict(dataset=dict(_delete_=True, "
     "type='mmgh.Digits', split='train', pipeline=[dict(type='PackInputs')]),"
     " sampler=dict(_delete_=True, type='InfiniteSampler'))",
     "trained on a domain pair, but got .*'mmgh.DomainPairDataset'"),
    ("train_dataloader = dict(sampler=dict(_delete_=True,"
     " type='InfiniteSampler'))", "`train_dataloader.sampler.type` to "),
    ("train_dataloader = dict(dataset=dict(source=dict(pipeline=[])))",
     'pipeline of the source should give `inputs`'),
    ("model = dict(type='mmgh.SSRTClassifier')",
     '`backbone` should be a VisionTransformer'),
    ("model = dict(uda_head=dict(_delete_=True, type='mmgh.GVBHead'))",
     '`GVBHead` should go with'),
    ("optim_wrapper = dict(harmonizer=dict(_delete_=True, "
     "type='mmgh.RelativeClip', harmonizer=3))", '`harmonizer` should be a'),
])
def test_what_does_not_go_together_is_one_line(text, sentence, tools,
                                               tmp_path):
    child = tmp_path / 'child.py'
    child.write_text(f"_base_ = '{DANN}'\n{text}")
    with pytest.raises(SystemExit, match=sentence) as exit:
        tools('train', child, '--work-dir', tmp_path, '--cfg-options',
              'train_cfg.max_iters=1')
    assert 'Traceback' not in exit.value.code


@pytest.mark.parametrize('source, sentence', [
    (dict(_delete_=True, type='ConcatDataset', datasets=[
        dict(type='CustomDataset', data_root=root)
        for root in ('ab', 'ac')]), 'The source domain .*meta information'),
    (dict(data_root='ab', metainfo=dict(classes=['a'])),
     'The source domain .*classes'),
])
def test_folders_that_do_not_fit_are_one_line(source, sentence, tools,
                                              tmp_path, monkeypatch):
    for domain in ('ab', 'ac'):
        for name in domain:
            write_image(tmp_path / domain / name / '0.png', 0)
    monkeypatch.chdir(tmp_path)
    child = tmp_path / 'child.py'
    dataset = dict(source=source, target=dict(data_root='ab'))
    child.write_text(f"_base_ = '{FOLDERS}'\n"
                     f'train_dataloader = dict(dataset={dataset})\n')
    with pytest.raises(SystemExit, match=sentence):
        tools('train', child, '--work-dir', tmp_path)


def test_a_base_is_no_whole_config(tools, tmp_path):
    base = Path(DANN).parents[1] / '_base_/default_runtime.py'
    with pytest.raises(SystemExit, match='`model` should be in the config'):
        tools('train', base, '--work-dir', tmp_path)


def test_what_lacks_is_named(tools, tmp_path):
    child = tmp_path / 'child.py'
    for text, sentence in (
        ('model = dict(head=dict(loss=dict(loss_weight=1.)))',
         '`model.head.loss` should have a `type`, but is .*loss_weight'),
        ("model = dict(backbone=dict(_delete_=True, type='ResNet'))",
         '`model.backbone` should have what ResNet needs, but lacks `depth`'),
    ):
        child.write_text(f"_base_ = '{DANN}'\n{text}")
        with pytest.raises(SystemExit, match=sentence):
            tools('train', child, '--work-dir', tmp_path)


@pytest.mark.parametrize(
    'item', REGISTERED, ids=lambda item: item.name)
def test_slips_of_all_our_classes_are_found(item):
    """By the error of Python alone."""
    init_default_scope('mmpretrain')
    kind = dict(type=f'mmgh.{item.name}', nonsense_=1)
    found = error_of_config(
        TypeError(f'{item.name}.__init__() got an unexpected keyword argument '
                  "'nonsense_'"), dict(a=[dict(b=kind)]))
    assert f'`a.0.b` should have arguments of {item.name}, ' in str(found)


@pytest.mark.parametrize('error', [
    TypeError("GH.__init__() got an unexpected keyword argument 'c'"),
    TypeError("_step() got an unexpected keyword argument 'a'"),
    TypeError("unsupported operand type(s) for +: 'int' and 'str'"),
    TypeError(), KeyError('a'), KeyError(3),
    KeyError('mmgh.GH is not in the mmpretrain::task util registry.'),
    ValueError("GH.__init__() got an unexpected keyword argument 'a'"),
])
def test_other_errors_are_no_slips(error):
    cfg = dict(
        harmonizer=dict(type='mmgh.GHPlusPlus', a=1), other=dict(a=1),
        a=dict(a=3))
    assert error_of_config(error, cfg) is None


def test_python_3_9_names_no_class():
    error = TypeError("__init__() got an unexpected keyword argument 'a'")
    cfg = dict(part=dict(type='mmgh.GHPlusPlus', a=1))
    assert 'arguments of GHPlusPlus' in str(error_of_config(error, cfg))


@pytest.mark.parametrize('kind', [
    TASK_UTILS.get('mmgh.GH'), HOOKS.get('IterTimerHook'),
    OPTIM_WRAPPERS.get('mmgh.GHOptimWrapper')])
def test_classes_in_place_of_names(kind):
    with pytest.raises(TypeError) as error:
        kind(abc=1)
    cfg = Config(dict(part=dict(abc=1)))
    cfg.part.type = kind
    found = str(error_of_config(error.value, cfg))
    # A class of Python has no name in its error if it takes nothing.
    assert found.startswith(f'`part` should have arguments of {kind.__name__},'
                            ' but has `abc`') or 'takes no' in str(error.value)


def test_a_scope_that_there_is_not_is_told(tools, tmp_path):
    with pytest.raises(SystemExit, match="`default_scope` should .* has "
                       "'UniversalVisualizer' .* but is 'mmpretran'"):
        tools('train', DANN, '--work-dir', tmp_path, '--cfg-options',
              'default_scope=mmpretran')


@pytest.mark.parametrize('setting, value', [
    ('train_dataloader.batch_size', 0), ('val_dataloader.batch_size', 'a'),
    ('train_dataloader.num_workers', -1), ('randomness.seed', 1.5),
    ('randomness.seed', 2**32), ('randomness.seed', ''),
])
def test_a_value_that_does_not_fit_is_one_line(setting, value, tools,
                                               tmp_path):
    with pytest.raises(SystemExit, match=f'`{setting}` should be a whole '
                       f'number .*, but got {value!r}'):
        tools('train', DANN, '--work-dir', tmp_path, '--cfg-options',
              f'{setting}={value}')


@pytest.mark.parametrize('setting', ['lr', 'weight_decay'])
@pytest.mark.parametrize('value', ['1e-3a', -1, True, 'inf'])
def test_rates_are_finite_numbers(setting, value, tools, tmp_path):
    setting = f'optim_wrapper.optimizer.{setting}'
    with pytest.raises(SystemExit, match=f'`{setting}` should be a .*number'):
        tools('train', DANN, '--work-dir', tmp_path, '--cfg-options',
              f'{setting}={value}')


@pytest.mark.parametrize('setting, sentence', [
    ('optim_wrapper.harmonizer=GH', '`harmonizer` should be a config'),
    ('model.uda_head=DANNHead', '`uda_head` should be a config'),
    ('default_hooks.checkpoint.interval=2.5', '`interval` should be a whole'),
])
def test_what_is_no_config_or_number_is_one_line(setting, sentence, tools,
                                                 tmp_path):
    with pytest.raises(SystemExit, match=sentence):
        tools('train', DANN, '--work-dir', tmp_path, '--cfg-options', setting)


def test_a_launcher_that_started_nothing_is_told(tools, tmp_path, monkeypatch):
    monkeypatch.delenv('RANK', raising=False)
    with pytest.raises(SystemExit, match='--launcher .*RANK is not set'):
        tools('train', DANN, '--work-dir', tmp_path, '--launcher', 'pytorch')


def test_processes_that_do_not_know_of_each_other_are_told(
        load_tool, monkeypatch):
    check = load_tool('command_line').check_launcher
    monkeypatch.setenv('RANK', '0')
    monkeypatch.setenv('WORLD_SIZE', '2')
    with pytest.warns(UserWarning, match='--launcher pytorch'):
        check('none')
    check('pytorch')
    monkeypatch.setenv('WORLD_SIZE', '1')
    check('none')
