"""A config that is only data cannot name what it likes."""
from __future__ import annotations

import sys

import pytest

from mmgh.deployment.known_types import check_known_types
from mmgh.input_error import InputError

MODEL = dict(
    type='ImageClassifier',
    backbone=dict(type='mmpretrain.ResNet', norm_cfg=dict(type='BN')),
    neck=[dict(type='torch.nn.Flatten'), dict(type='mmgh.Bottleneck')],
    data_preprocessor=dict(mean=[1.]))
PIPELINE = [
    dict(type='LoadImageFromFile'), dict(type='torchvision/ToTensor'),
    dict(type='RandomApply', transforms=[dict(type='mmgh.LoadFeatures')])
]


def test_registered_names_are_known():
    check_known_types(MODEL, PIPELINE)


@pytest.mark.parametrize('name', [
    'subprocess.Popen', 'os.system', 'torch.load', 'torch.nn.init.normal_',
    'torch.nn.functional', 'mmpretrain.get_model', 'this', 'Accuracy',
    'LoadImageFromFile', 'mmgh.ResNet', ''
])
def test_others_are_refused(name):
    modules = set(sys.modules)
    with pytest.raises(InputError, match='registered name of a network'):
        check_known_types(dict(MODEL, neck=[dict(type=name)]), PIPELINE)
    with pytest.raises(InputError, match='registered name of a transform'):
        check_known_types(MODEL, [dict(step=dict(type=f'x.{name}'))])
    assert 'this' not in set(sys.modules) - modules  # not even imported
