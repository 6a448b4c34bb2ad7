"""A resumed run that is another training than the run so far."""
from __future__ import annotations

import re
from math import inf

import pytest
from mmengine.config import Config

from mmgh.config_file import read_config
from mmgh.hooks.resuming import warn_of_other_config
from ..log_warnings import warnings_of

DANN = 'mmgh::dann/dann-ghpp_lenet_1xb32-1k_digits-digits2digitsm.py'


def told(before: Config, now: Config) -> list[str]:
    checkpoint = dict(meta=dict(cfg=before.pretty_text))
    return warnings_of(lambda: warn_of_other_config(checkpoint, now))


@pytest.mark.parametrize('setting, value, text', [
    ('optim_wrapper.harmonizer.type', 'mmgh.GH', "'mmgh.GH', was 'mmgh.GHPlu"),
    ('optim_wrapper.type', 'OptimWrapper', 'optim_wrapper.type is'),
    ('optim_wrapper.max_weight', inf, 'max_weight is inf, was None'),
    ('model.uda_head.loss_weight', 0.5, 'loss_weight is 0.5, was None'),
    ('train_dataloader.dataset.source.type', 'mmgh.DigitsM', 'source.type is'),
    ('data_preprocessor.mean', [1, 2, 3], r'mean is \[1, 2, 3\], was'),
    ('randomness.seed', 7, 'randomness.seed is 7, was 0'),
    ('custom_hooks', [dict(type='EMAHook')], 'custom_hooks is .*, was'),
])
def test_what_makes_it_another_training_is_told(setting, value, text):
    before, now = read_config(DANN), read_config(DANN, {setting: value})
    sentence, = told(before, now)
    assert sentence.count(', was ') == 1
    assert re.search(text, sentence)


@pytest.mark.parametrize('setting, value', [
    ('val_dataloader.dataset.indices', 100), ('val_evaluator.topk', [5])])
def test_validations_of_another_kind_are_told(setting, value):
    before, now = read_config(DANN), read_config(DANN, {setting: value})
    sentence, = told(before, now)
    assert sentence.startswith('Validations are not to be compared with')
    assert setting in sentence


@pytest.mark.parametrize('setting, value', [
    ('resume', True), ('load_from', 'a.pth'), ('train_cfg.max_iters', 9),
    ('train_dataloader.num_workers', 3), ('work_dir', 'moved'),
    ('train_dataloader.batch_size', 7), ('optim_wrapper.optimizer.lr', 0.3),
    ('val_dataloader.batch_size', 3), ('log_level', 'DEBUG')])
def test_what_changes_no_iteration_or_is_told_elsewhere_is_not(setting, value):
    before, now = read_config(DANN), read_config(DANN, {setting: value})
    assert not told(before, now)
    assert not told(now, now)


@pytest.mark.parametrize('content', [
    {}, dict(meta={}), dict(meta=dict(cfg='a = print(1)'))])
def test_checkpoints_of_other_tools_say_nothing(content):
    assert not warnings_of(
        lambda: warn_of_other_config(content, read_config(DANN)))
