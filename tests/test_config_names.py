"""Slips in names that MMEngine would not look at."""
from __future__ import annotations

import ast
import inspect
from pathlib import Path

import mmpretrain
import pytest
from mmengine.runner import Runner

from mmgh.config_file import read_config
from mmgh.config_names import check_names
from mmgh.default_hooks import DEFAULT_HOOKS
from mmgh.input_error import InputError

ROOT = Path(__file__).parents[1]
CONFIGS = [
    *ROOT.glob('configs/**/*.py'),
    *Path(mmpretrain.__file__).parent.glob('.mim/configs/*/*.py')
]
DANN = (
    ROOT / 'configs/dann/dann-ghpp_lenet_1xb32-1k_digits-digits2digitsm.py')
ARGUMENTS = [
    name for name in inspect.signature(Runner.__init__).parameters
    if name not in ('self', 'cfg')
]


@pytest.mark.parametrize('argument', ARGUMENTS)
def test_each_argument_of_a_runner_is_known_and_its_slips_are_refused(
        argument):
    check_names({argument: {}})
    for slip in (argument[:-1], argument[:2] + argument[3:], f'{argument}s',
                 argument.replace('_', '-'), argument.replace('_', ''),
                 argument.upper(),
                 argument[:1] + argument[2] + argument[1] + argument[3:]):
        if slip not in ARGUMENTS:
            with pytest.raises(InputError,
                               match=f'`{argument}` .* has `{slip}`'):
                check_names({slip: {}})


@pytest.mark.parametrize('option, hint', [
    ('optimizer.lr', 'Do you mean `optim_wrapper.optimizer`'),
    ('harmonizer.type', 'Do you mean `optim_wrapper.harmonizer`'),
    ('uda_head.loss_weight', 'Do you mean `model.uda_head`'),
    ('lr', 'Do you mean `optim_wrapper.optimizer.lr`'),
    ('crop_size', r'mean `train_dataloader.dataset.source.pipeline.\d.crop'),
    ('samples_per_gpu', 'nothing would look at it'),
    ('max_iters', 'Do you mean `train_cfg.max_iters`'),
    ('data.samples_per_gpu', 'nothing would look at it'),
])
def test_settings_that_nothing_reads_are_refused(option, hint):
    with pytest.raises(InputError, match=hint):
        read_config(DANN, {option: 5})


def test_preprocessor_of_the_config_is_not_replaced_by_a_part_of_it():
    with pytest.raises(InputError, match='written `data_preprocessor`'):
        read_config(DANN, {'model.data_preprocessor.to_rgb': True})
    cfg = read_config(DANN, {'data_preprocessor.to_rgb': True})
    assert cfg.data_preprocessor.to_rgb and cfg.data_preprocessor.mean


def test_config_of_version_1_is_refused():
    with pytest.raises(InputError, match=r"\['lr_config', 'optimizer_config"):
        check_names(dict(lr_config={}, optimizer_config={}, model={}))


def test_names_of_their_own_in_configs_pass():
    """Of ours and of mmpretrain's."""
    names = {
        target.id
        for path in CONFIGS for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.Assign) for target in node.targets
        if isinstance(target, ast.Name)
    }
    assert {'train_pipeline', 'test_pipeline'} <= names
    check_names(dict.fromkeys({*names, 'tta_model', 'tta_pipeline'}))


def test_an_underscore_says_that_it_is_no_slip():
    check_names(dict(_optim_wraper={}, default_hooks=dict(_chekpoint={})))


def test_what_a_config_imports_is_no_slip(tmp_path):
    path = tmp_path / 'mine.py'
    start = ('from mmengine.optim import OptimWrapper\n'
             'from mmengine.visualization import Visualizer\n')
    path.write_text(f'{start}optim_wrapper = dict(type=OptimWrapper)\n')
    read_config(path)
    path.write_text(f'{start}optim_wraper = dict(type=OptimWrapper)\n')
    with pytest.raises(InputError, match='has `optim_wraper`'):
        read_config(path)


@pytest.mark.parametrize('path, meant', [
    ('default_hooks.chekpoint', 'checkpoint'),
    ('default_hooks.param_schedulr', 'param_scheduler'),
    ('env_cfg.cudnn_benchmrk', 'cudnn_benchmark'),
    ('env_cfg.mp_cfg.mp_start_metod', 'mp_start_method'),
    ('auto_scale_lr.enabel', 'enable'),
    ('optim_wrapper.paramwise_cfg.custom_key', 'custom_keys'),
    ('optim_wrapper.paramwise_cfg.norm_decay_mul', 'norm_decay_mult'),
    ('optim_wrapper.paramwise_cfg.custom_keys.neck.lr_mut', 'lr_mult'),
    ('optim_wrapper.generator.paramwise_cfg.bias_lr_mul', 'bias_lr_mult'),
])
def test_slips_in_dicts_that_are_asked_for_names(path, meant):
    outer, _, slip = path.rpartition('.')
    for name, is_slip in ((slip, True), (meant, False)):
        cfg = {name: 1}
        for key in reversed(outer.split('.')):
            cfg = {key: cfg}
        if is_slip:
            with pytest.raises(InputError, match=f'`{outer}.{meant}` .* has '
                               f'`{path}`'):
                check_names(cfg)
        else:
            check_names(cfg)


def test_modules_may_have_any_name():
    """Those of which `custom_keys` tells rates, and hooks."""
    check_names(
        dict(
            optim_wrapper=dict(
                paramwise_cfg=dict(custom_keys=dict(custom_key=1, model=2))),
            default_hooks=dict(class_check={}, mine={})))


@pytest.mark.parametrize('options', [
    {}, {'optim_wrapper': dict(type='OptimWrapper')}])
def test_slips_in_a_child_config_are_refused(tmp_path, options):
    (tmp_path / 'base.py').write_text("optim_wrapper = dict(interval=1)\n")
    child = tmp_path / 'child.py'
    child.write_text("_base_ = 'base.py'\noptim_wraper = dict(interval=2)\n")
    with pytest.raises(InputError, match=f'{child} has `optim_wraper`'):
        read_config(child, options)


@pytest.mark.parametrize('option', [
    'optim_wraper.interval', 'train_cgf.max_iters', 'train_config',
    'default_hooks.chekpoint.interval', 'env_cfg.mp_cfg.mp_start_metod'])
def test_slips_in_options_are_refused(tmp_path, option):
    (tmp_path / 'base.py').write_text('default_hooks = dict()\n')
    with pytest.raises(InputError, match='which nothing would look at'):
        read_config(tmp_path / 'base.py', {option: 2})


@pytest.fixture
def child(tmp_path):
    """``child(text, base=...)`` reads a config on another."""

    def read(text: str, base: str = DANN):
        path = tmp_path / 'child.py'
        path.write_text(f"_base_ = '{base}'\n{text}\n")
        return read_config(path)

    return read


@pytest.mark.parametrize('text', [
    "optimizer = dict(type='SGD', lr=5.)", 'runner = dict(max_iters=2)',
    'data = dict(samples_per_gpu=2)', 'evaluation = dict(interval=1)',
    "lr_config = dict(policy='step')", 'optimizer_config = dict(grad_clip=1)',
    'checkpoint_config = dict(interval=1)', 'total_epochs = 3',
    "workflow = [('train', 1)]", 'fp16 = dict(loss_scale=512.)',
    "resume_from = 'a.pth'", 'momentum_config = dict()',
    "dist_params = dict(backend='nccl')", 'cudnn_benchmark = True'])
@pytest.mark.parametrize('base', [
    DANN, 'mmpretrain::resnet/resnet50_8xb32_in1k.py',
    # It has such a variable, and uses it.
    'mmpretrain::byol/byol_resnet50_16xb256-coslr-200e_in1k.py',
    # It has such a leftover.
    'mmpretrain::hornet/hornet-tiny_8xb128_in1k.py'])
def test_names_of_version_1_are_refused_in_a_child(child, text, base):
    name = text.split()[0]
    with pytest.raises(InputError, match=f'{name}.*MMCV before version 2'):
        child(text, base)
    child(f'_{text}', base)


@pytest.mark.parametrize('text, meant', [
    ("harmonizer = dict(type='mmgh.GH')", 'optim_wrapper.harmonizer'),
    ('uda_head = dict(loss_weight=0.)', 'model.uda_head'),
    ('max_iters = 2', 'train_cfg.max_iters'),
    ('batch_size = 2', 'train_dataloader.batch_size'),
    ('head = dict(num_classes=3)', 'model.head'),
    ('lr = 0.5', 'optim_wrapper.optimizer.lr'),
    ('num_classes = 3', 'model.head.num_classes'),
])
def test_arguments_of_another_setting_are_refused_at_the_top(
        child, text, meant):
    with pytest.raises(InputError, match=f'child.py should use .* do you mean '
                       f'`{meant}`'):
        child(text)


def test_a_variable_that_is_used_passes(child):
    child("""optimizer = dict(type='SGD', lr=0.1)
optim_wrapper = dict(optimizer=optimizer)
batch_size = 2 * 8
train_dataloader = dict(batch_size=batch_size)""")


def test_a_variable_of_a_base_that_stays_as_it_is_is_refused(child, tmp_path):
    folders = ROOT / 'configs/folders/dann-ghpp_resnet18_folders.py'
    text = "target = dict(data_root='mine')"
    with pytest.raises(InputError, match='`target`, .* stays as it is. Set '
                       r"\['train_dataloader', 'val_dataloader', "):
        child(text, folders)
    (tmp_path / 'more.py').write_text("_base_ = 'child.py'")
    with pytest.raises(InputError, match='child.py .*`target`'):
        read_config(tmp_path / 'more.py')
    cfg = child(f'{text}\nval_dataloader = dict(dataset=target)', folders)
    assert cfg.val_dataloader.dataset.data_root == 'mine'


def test_what_is_in_effect_anyway_passes(child, tmp_path):
    """Leftovers of a copy: the setting, or a base, says the same."""
    child('num_classes = 10\nmodel = dict(head=dict(num_classes=10))')
    with pytest.raises(InputError, match='`model.head.num_classes`'):
        child('num_classes = 10\nmodel = dict(head=dict(num_classes=3))')
    base = tmp_path / 'base.py'
    base.write_text("number = 3\nkind = 'A'\nitems = dict(n=number)\n"
                    'val_dataloader = dict(dataset=dict(t=kind, d=items))')
    child("kind = 'A'", base)
    for text in ("kind = 'B'", 'number = 4\nitems = dict(n=number)'):
        with pytest.raises(InputError, match='stays as it is'):
            child(text, base)


def test_a_variable_for_who_is_based_on_it_passes(tmp_path):
    (tmp_path / 'a.py').write_text('harmonizer = dict(x=1)\n'
                                   'optim_wrapper = dict(harmonizer={})')
    (tmp_path / 'b.py').write_text(
        "_base_ = 'a.py'\n"
        'optim_wrapper = dict(harmonizer={{_base_.harmonizer}})')
    assert read_config(tmp_path / 'b.py').optim_wrapper.harmonizer.x == 1
    with pytest.raises(InputError, match='a.py .*`optim_wrapper.harmonizer`'):
        read_config(tmp_path / 'a.py')


def test_pure_python_configs_are_looked_at_too(tmp_path):
    (tmp_path / 'base.py').write_text(
        'pipeline = [1]\ntrain_dataloader = dict(dataset=dict(p=pipeline))\n')
    child = tmp_path / 'child.py'
    start = ('from mmengine.config import read_base\n'
             'with read_base():\n    from .base import *\n')
    child.write_text(f'{start}pipeline = [2]\n')
    with pytest.raises(InputError, match='`pipeline`.* stays as it is'):
        read_config(child)
    child.write_text(f'{start}pipeline = [2]\n'
                     'train_dataloader.update(dataset=dict(p=pipeline))\n')
    assert read_config(child).train_dataloader.dataset.p == [2]


@pytest.mark.parametrize('base', [
    DANN, 'mmpretrain::hornet/hornet-tiny_8xb128_in1k.py',
    'mmpretrain::byol/byol_resnet50_16xb256-coslr-200e_in1k.py'])
def test_what_mmengine_writes_of_a_run_can_be_read_again(base, tmp_path):
    cfg = read_config(base, {'optim_wrapper.optimizer.lr': 0.5})
    cfg.launcher = 'none'
    cfg.dump(tmp_path / 'written.py')
    assert read_config(tmp_path / 'written.py').to_dict() == cfg.to_dict()


def test_a_setting_of_a_variable_is_refused():
    folders = ROOT / 'configs/folders/dann-ghpp_resnet18_folders.py'
    with pytest.raises(InputError, match='`source` should be set where it is '
                       r"used, in \['train_dataloader'"):
        read_config(folders, {'source.data_root': 'mine'})


def test_a_setting_of_what_a_variable_was_is_refused(child, tmp_path):
    """MMEngine writes variables beside the settings that they are in."""
    cfg = child('batch_size = 5\n'
                'train_dataloader = dict(batch_size=batch_size)')
    cfg.launcher = 'none'
    cfg.dump(tmp_path / 'written.py')
    with pytest.raises(InputError, match='`batch_size` should be set where it '
                       r"is used, such as \[.*'train_dataloader.batch_size'"):
        read_config(tmp_path / 'written.py', {'batch_size': 4})


@pytest.mark.parametrize('text, setting, found', [
    ('custom_hook = dict(type="EMAHook")\ncustom_hooks = [custom_hook]',
     'custom_hooks', [dict(type='EMAHook')]),
    ('param_scheduler1 = dict(type="PolyLR")\n'
     'param_scheduler = [param_scheduler1]',
     'param_scheduler', [dict(type='PolyLR')]),
])
def test_a_variable_may_resemble_a_setting(child, tmp_path, text, setting,
                                           found):
    cfg = child(text)
    assert cfg[setting] == found
    # MMEngine writes the values of variables, too.
    cfg.launcher = 'none'
    cfg.dump(tmp_path / 'written.py')
    assert read_config(tmp_path / 'written.py')[setting] == found


def test_what_takes_the_place_of_a_setting_in_a_written_config_is_refused(
        tmp_path):
    path = tmp_path / 'written.py'
    path.write_text("launcher = 'none'\noptim_wraper = dict()\n")
    with pytest.raises(InputError, match='has `optim_wraper`'):
        read_config(path)


def test_hooks_may_have_names_that_resemble_others(child):
    hook = dict(type='CheckpointHook', interval=2)
    assert child(f'default_hooks = dict(checkpoint2={hook})').default_hooks[
        'checkpoint2'] == hook


def test_all_names_of_our_hooks_are_known():
    for name in DEFAULT_HOOKS:
        with pytest.raises(InputError, match=f'default_hooks.{name}`'):
            check_names(dict(default_hooks={f'{name}s': None}))
        check_names(dict(default_hooks={name: None}))


def test_a_variable_that_another_file_uses_is_refused(child):
    """`ghpp` is given in one base, and used in another."""
    with pytest.raises(InputError, match='`ghpp`, .* stays as it is. Set '
                       r"\['optim_wrapper'\]"):
        child('ghpp = dict(max_weight=3)')
    with pytest.raises(InputError, match='`ghpp` should be set where it is '
                       r"used, in \['optim_wrapper'\]"):
        read_config(DANN, {'ghpp.max_weight': 3})
