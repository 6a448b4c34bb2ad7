"""tools/train.py --harmonizer."""
from __future__ import annotations

import sys
from pathlib import Path

import mmgh  # noqa: F401

# isort: split
import mmpretrain
import pytest
import torch
from mmengine.config import Config
from mmengine.optim import OptimWrapper
from mmengine.registry import OPTIM_WRAPPERS
from mmengine.registry import TASK_UTILS as ROOT_TASK_UTILS
from torch.optim import SGD

from mmgh.optim import GHOptimWrapper
from mmgh.registry import TASK_UTILS
from ..config_names import (AS_PUBLISHED, HARMONIZED, HARMONIZERS, NAMED,
                            PUBLISHED, ROOT, load, load_twin, parse, plain_of,
                            twin_of)
from ..shrunk_configs import assert_takes_a_step, harmonized_part
from .short_runs import SHORT, assert_same_training, read, stop_after_three

END = 'lenet_1xb32-1k_digits-digits2digitsm.py'
DANN = ROOT / f'dann/dann_{END}'
DANN_GH = ROOT / f'dann/dann-gh_{END}'
ALTERNATING = ROOT / f'mcd/mcd-alternating-cls_{END}'
WITHOUT_TWIN = [
    path for path in NAMED if path not in HARMONIZED
    and parse(path).method != 'source-only'
    and not twin_of(path, 'gh').exists()
]
ZOO = Path(mmpretrain.__file__).parent / '.mim/configs'


@pytest.fixture
def resolve(load_tool, monkeypatch):
    """``resolve(*args)`` gives the config that ``train.py`` would run."""

    def run(*args) -> Config:
        train = load_tool('train')
        monkeypatch.setattr(sys, 'argv', ['train.py', *map(str, args)])
        parsed = train.parse_args()
        config = train.load_config(parsed)
        train.merge_args(config, parsed)
        return config

    return run


def write(folder: Path, base: Path, text: str) -> Path:
    path = folder / 'mine.py'
    path.write_text(f"_base_ = '{base}'\n{text}\n")
    return path


@pytest.mark.parametrize('path', AS_PUBLISHED, ids=lambda p: p.stem)
def test_none_leaves_what_is_no_harmonization_as_published(load_tool, path):
    config, plain = load_twin(path), load(plain_of(path))
    load_tool('harmonizer_option').remove_harmonizer(config.optim_wrapper)
    plain.merge_from_dict(PUBLISHED[parse(path).method])
    assert config.to_dict() == plain.to_dict()


@pytest.mark.parametrize(
    'path', sorted({*HARMONIZED} - {*AS_PUBLISHED}), ids=lambda p: p.stem)
def test_option_does_what_the_harmonized_config_does(load_tool, path):
    option = load_tool('harmonizer_option')
    plain, harmonized = load(plain_of(path)), load_twin(path)
    kind = HARMONIZERS[parse(path).harmonizer]
    for name in (kind, kind.rpartition('.')[-1]):
        config = load(plain_of(path))
        option.set_harmonizer(config, name, {})
        expected = load_twin(path)
        if 'generator' in expected.optim_wrapper:
            # The option acts where the optim wrapper of the features stands.
            for key in ('type', 'harmonizer'):
                expected.optim_wrapper.generator[key] = (
                    expected.optim_wrapper.pop(key))
        assert config.to_dict() == expected.to_dict()
    option.remove_harmonizer(harmonized.optim_wrapper)
    assert harmonized.to_dict() == plain.to_dict()


@pytest.mark.parametrize('path', WITHOUT_TWIN, ids=lambda p: p.stem)
@pytest.mark.parametrize('name', ['GH', 'GHPlusPlus'])
def test_config_without_a_twin_takes_a_step(load_tool, path, name):
    config = load(path)
    load_tool('harmonizer_option').set_harmonizer(config, name, {})
    wrapper = assert_takes_a_step(config)
    assert isinstance(harmonized_part(wrapper), GHOptimWrapper)


@pytest.mark.parametrize('path', [DANN, ALTERNATING], ids=lambda p: p.stem)
def test_nothing_changes_without_need(load_tool, path):
    option, config = load_tool('harmonizer_option'), load(path)
    option.remove_harmonizer(config.optim_wrapper)
    assert config.to_dict() == load(path).to_dict()


@pytest.mark.parametrize('name', [
    'resnet/resnet50_8xb32_in1k', 'swin_transformer/swin-tiny_16xb64_in1k',
    'mae/mae_vit-base-p16_8xb512-amp-coslr-300e_in1k'
])
def test_configs_of_the_zoo(load_tool, name):
    option = load_tool('harmonizer_option')
    config = Config.fromfile(ZOO / f'{name}.py')
    stock = config.optim_wrapper.to_dict()
    stock.setdefault('type', 'OptimWrapper')
    option.set_harmonizer(config, 'GH', {})
    assert config.optim_wrapper == {
        **stock, 'type': f"mmgh.GH{stock['type']}",
        'harmonizer': dict(type='mmgh.GH')
    }
    option.remove_harmonizer(config.optim_wrapper)
    assert config.optim_wrapper == stock


def test_options_of_the_wrapper_stay(resolve, tmp_path):
    own = 'probe="features", max_weight=3., interval=2'
    others = 'accumulative_counts=2, clip_grad=dict(max_norm=1.)'
    path = write(tmp_path, DANN_GH, f'optim_wrapper = dict({own}, {others})')
    wrapper = Config.fromfile(path).optim_wrapper
    other = resolve(path, '--harmonizer', 'GHPlusPlus').optim_wrapper
    assert other == {**wrapper, 'harmonizer': dict(type='mmgh.GHPlusPlus')}
    none = resolve(path, '--harmonizer', 'none').optim_wrapper
    assert none == dict(
        type='OptimWrapper',
        optimizer=wrapper.optimizer,
        accumulative_counts=2,
        clip_grad=dict(max_norm=1.))


def test_harmonizer_of_the_same_type_keeps_its_options(resolve, tmp_path):
    text = ("optim_wrapper = dict(harmonizer=dict(_delete_=True, "
            "type='mmgh.GHPlusPlus', harmonic_range=0.3))")
    path = write(tmp_path, DANN_GH, text)
    same = resolve(path, '--harmonizer', 'GHPlusPlus').optim_wrapper
    assert same.harmonizer == dict(type='mmgh.GHPlusPlus', harmonic_range=0.3)
    other = resolve(path, '--harmonizer', 'GH').optim_wrapper
    assert other.harmonizer == dict(type='mmgh.GH')


@pytest.mark.parametrize('config', [DANN, DANN_GH], ids=lambda p: p.stem)
@pytest.mark.parametrize('more', [[], ['optim_wrapper.harmonizer.type=GH']])
def test_options_on_the_command_line_are_for_the_new_one(
        resolve, config, more):
    pytest.importorskip('torchjd')
    wrapper = resolve(config, '--harmonizer', 'TorchJD', '--cfg-options',
                      'optim_wrapper.harmonizer.name=UPGrad',
                      'optim_wrapper.max_weight=5', *more).optim_wrapper
    assert wrapper.harmonizer == dict(type='mmgh.TorchJD', name='UPGrad')
    assert wrapper.max_weight == 5


@pytest.mark.parametrize('config, option', [
    (DANN, 'max_weight=5'),
    (DANN_GH, 'harmonizer.type=GH'),
    (ALTERNATING, 'generator.probe=features'),
])
def test_options_on_the_command_line_need_a_harmonizer(
        resolve, config, option):
    with pytest.raises(SystemExit, match='none should come without options '
                       f'.* got optim_wrapper.{option.split("=")[0]}.$'):
        resolve(config, '--harmonizer', 'none', '--cfg-options',
                f'optim_wrapper.{option}')


def test_other_options_of_the_wrapper_need_none(resolve):
    names = 'accumulative_counts', 'paramwise_cfg.custom_keys.shared.lr_mult'
    wrapper = resolve(
        DANN_GH, '--harmonizer', 'none', '--cfg-options',
        *(f'optim_wrapper.{name}=2' for name in names)).optim_wrapper
    assert wrapper.accumulative_counts == 2
    assert wrapper.paramwise_cfg.custom_keys.shared.lr_mult == 2


def test_alternating_optimizers(resolve):
    plain = Config.fromfile(ALTERNATING).optim_wrapper
    name = 'optim_wrapper.generator.harmonizer.harmonic_range=0.2'
    wrapper = resolve(ALTERNATING, '--harmonizer', 'GHPlusPlus',
                      '--cfg-options', name).optim_wrapper
    assert wrapper.classifier == plain.classifier
    assert wrapper.generator == {
        **plain.generator, 'type': 'mmgh.GHOptimWrapper',
        'harmonizer': dict(type='mmgh.GHPlusPlus', harmonic_range=0.2)
    }


def test_overrides_above_alternating_optimizers(resolve, tmp_path):
    text = ("optim_wrapper = dict(type='mmgh.GHOptimWrapper', "
            "harmonizer=dict(type='mmgh.GH'), max_weight=3.)")
    path = write(tmp_path, ALTERNATING, text)
    wrapper = resolve(path, '--harmonizer', 'GHPlusPlus').optim_wrapper
    assert wrapper == {
        **Config.fromfile(path).optim_wrapper, 'harmonizer':
        dict(type='mmgh.GHPlusPlus')
    }
    none = resolve(path, '--harmonizer', 'none').optim_wrapper
    assert none == Config.fromfile(ALTERNATING).optim_wrapper


@pytest.mark.parametrize('config, name, expected', [
    (DANN, 'GH', 'mmgh.GHAmpOptimWrapper'),
    (DANN_GH, 'GHPlusPlus', 'mmgh.GHAmpOptimWrapper'),
    (DANN_GH, 'none', 'AmpOptimWrapper'),
])
def test_with_amp(resolve, monkeypatch, config, name, expected):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    plain = resolve(config, '--harmonizer', name).optim_wrapper
    for args in (['--amp', '--harmonizer', name],
                 ['--harmonizer', name, '--amp']):
        assert resolve(config, *args).optim_wrapper == {
            **plain, 'type': expected, 'loss_scale': 'dynamic'
        }


@pytest.mark.parametrize('found, harmonized', [
    ('AmpOptimWrapper', 'mmgh.GHAmpOptimWrapper'),
    ('OptimWrapper', 'mmgh.GHOptimWrapper'),
])
def test_precision_stays(load_tool, found, harmonized):
    option = load_tool('harmonizer_option')
    config = Config(dict(optim_wrapper=dict(type=found, loss_scale=512.)))
    for _ in range(2):
        option.set_harmonizer(config, 'GH', {})
        assert config.optim_wrapper == dict(
            type=harmonized, loss_scale=512., harmonizer=dict(type='mmgh.GH'))
    for _ in range(2):
        option.remove_harmonizer(config.optim_wrapper)
        assert config.optim_wrapper == dict(type=found, loss_scale=512.)


SPELLINGS = [
    "'OptimWrapper'", "'mmengine.OptimWrapper'", 'OptimWrapper',
    "'mmengine.optim.OptimWrapper'"
]
IMPORTS = 'from mmengine.optim import OptimWrapper\n'


@pytest.mark.parametrize('spelling', SPELLINGS)
def test_type_may_be_written_as_mmengine_allows(
        resolve, monkeypatch, tmp_path, spelling):
    """Also as the class itself, in a pure Python config."""
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    path = tmp_path / 'mine.py'
    path.write_text(f'{IMPORTS}optim_wrapper = dict(type={spelling})\n')
    for args, expected in ((['GH'], 'mmgh.GHOptimWrapper'),
                           (['GH', '--amp'], 'mmgh.GHAmpOptimWrapper'),
                           (['none', '--amp'], 'AmpOptimWrapper')):
        wrapper = resolve(path, '--harmonizer', *args).optim_wrapper
        assert wrapper.type == expected
    found = resolve(path, '--harmonizer', 'none').optim_wrapper.type
    assert OPTIM_WRAPPERS.build(dict(
        type=found, optimizer=SGD([torch.zeros(1)], lr=1))).__class__ is (
            OptimWrapper)


@pytest.mark.parametrize('registry, name, written', [
    (TASK_UTILS, 'Halves', 'mmgh.Halves'),
    (ROOT_TASK_UTILS, 'Halves', 'Halves'),
    (ROOT_TASK_UTILS, 'mmengine.Halves', 'mmengine.Halves'),
])
def test_harmonizer_of_a_users_own(resolve, registry, name, written):

    class Halves:

        def __call__(self, gramian):
            return gramian.new_full((len(gramian), ), 0.5)

    registry.register_module(module=Halves)
    try:
        wrapper = resolve(DANN, '--harmonizer', name).optim_wrapper
        assert wrapper.harmonizer == dict(type=written)
        assert isinstance(TASK_UTILS.build(wrapper.harmonizer), Halves)
    finally:
        registry.module_dict.pop('Halves')


@pytest.mark.parametrize('name', ['GHH', 'mmgh.GHH', 'nowhere.GH', 'os', ''])
def test_unknown_harmonizer_is_refused(resolve, name):
    with pytest.raises(
            SystemExit,
            match='--harmonizer should be none, or one of .*GH, GHPlusPlus, '
            f'.*TorchJD, but got {name}.$'):
        resolve(DANN, '--harmonizer', name)


def test_method_of_torchjd_is_told_how_to_be_named(resolve):
    pytest.importorskip('torchjd')
    with pytest.raises(
            SystemExit,
            match='should be TorchJD for the method UPGrad of torchjd, with '
            '--cfg-options optim_wrapper.harmonizer.name=UPGrad.$'):
        resolve(DANN, '--harmonizer', 'UPGrad')


@pytest.mark.parametrize('name, options, message', [
    ('TorchJD', [], "missing .* argument: 'name'"),
    ('GH', ['harmonic_range=0.3'], 'GH.* argument'),
    ('GHPlusPlus', ['harmonic_range=3'], r'`harmonic_range` should be .* 3'),
])
def test_harmonizer_that_cannot_be_built_is_refused(
        resolve, name, options, message):
    options = [f'optim_wrapper.harmonizer.{option}' for option in options]
    with pytest.raises(SystemExit, match=f'--harmonizer {name} should get .*'
                       f'--cfg-options .*, but: .*{message}'):
        resolve(DANN, '--harmonizer', name, '--cfg-options', 'resume=False',
                *options)


@pytest.mark.parametrize('name', ['GH', 'none'])
def test_unknown_wrapper_is_refused(resolve, name):
    with pytest.raises(SystemExit, match='--harmonizer works with .* '
                       'OptimWrapper or .*, but the config has ApexOptim'):
        resolve(DANN, '--harmonizer', name, '--cfg-options',
                'optim_wrapper.type=ApexOptimWrapper')


def test_run_has_a_work_directory_of_its_own(resolve):
    folder = f'work_dirs/{DANN.stem}'
    for args, expected in (([], folder),
                           (['--harmonizer', 'none'], f'{folder}_none'),
                           (['--harmonizer', 'mmgh.GH'], f'{folder}_GH'),
                           (['--harmonizer', 'GH', '--work-dir', 'a'], 'a')):
        assert resolve(DANN, *args).work_dir == expected


def test_work_directory_of_the_config_is_not_that_of_the_run(
        resolve, tmp_path):
    path = write(tmp_path, DANN, "work_dir = './out/run/'")
    assert resolve(path).work_dir == './out/run/'
    assert resolve(path, '--harmonizer', 'GH').work_dir == 'out/run_GH'


def test_training_equals_that_of_the_harmonized_config(
        tools, train, tmp_path):
    """And goes on from a checkpoint."""
    whole = train(DANN_GH, tmp_path / 'whole')
    for work_dir, flags in ((tmp_path / 'option', []),
                            (stop_after_three(tmp_path / 'whole',
                                              tmp_path / 'stopped'),
                             ['--resume'])):
        tools('train', DANN, '--harmonizer', 'GH', *flags, '--work-dir',
              work_dir, '--cfg-options', *SHORT,
              f'experiment_name={work_dir.name}_option')
        assert_same_training(read(work_dir / 'iter_6.pth'), whole)


def test_option_acts_at_the_step_that_the_model_harmonizes(resolve):
    """Alternating MCD at step B: the classifiers', which can be undone."""
    plain = ROOT / f'mcd/mcd-alternating_{END}'
    at_b = '--cfg-options', 'model.harmonized_step=B'
    config = resolve(plain, '--harmonizer', 'GH', *at_b)
    assert config.optim_wrapper.classifier.harmonizer.type == 'mmgh.GH'
    assert_takes_a_step(config)
    none = resolve(plain, '--harmonizer', 'none', *at_b)
    option = 'optim_wrapper.classifier.harmonizer.type=mmgh.GH'
    set_by_hand = resolve(
        plain, *at_b, 'optim_wrapper.classifier.type=mmgh.GHOptimWrapper',
        option)
    assert_takes_a_step(set_by_hand)
    assert none.optim_wrapper == load(plain).optim_wrapper
    with pytest.raises(SystemExit, match='without options.*classifier'):
        resolve(plain, '--harmonizer', 'none', *at_b, option)
