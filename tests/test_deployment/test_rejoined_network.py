from __future__ import annotations

import pytest
import torch
from mmengine.registry import MODELS, init_default_scope

from mmgh.deployment.rejoined_network import rejoined_network

NETWORK = dict(type='MobileNetV2', widen_factor=0.25)
LAST_NECKS = [
    dict(type='GlobalAveragePooling'),
    dict(type='LinearNeck', in_channels=1280, out_channels=8),
]


def part_of(*layers, **options) -> dict:
    return dict(
        type='mmgh.LayersOf', network=NETWORK, layers=list(layers), **options)


def classifier(backbone: dict, *necks: dict) -> dict:
    return dict(
        type='ImageClassifier',
        backbone=backbone,
        neck=[*necks, *LAST_NECKS],
        head=dict(type='LinearClsHead', in_channels=8, num_classes=3))


@pytest.fixture(autouse=True)
def scope():
    init_default_scope('mmpretrain')


def test_predictions_are_those_of_the_parts():
    split = classifier(
        part_of('conv1', *(f'layer{i}' for i in range(1, 7)), flatten=True),
        part_of('layer7', 'conv2', in_shape=(40, 2, 2)))
    parts = MODELS.build(split)
    for name, value in parts.state_dict().items():
        if name.endswith('running_var'):
            value.uniform_(0.5, 1.5)
    model, weights = rejoined_network(split, parts.state_dict())
    assert model['backbone'] == NETWORK
    assert model['neck'] == LAST_NECKS
    whole = MODELS.build(model)
    whole.load_state_dict(weights)
    parts.eval(), whole.eval()
    images = torch.randn(2, 3, 64, 64)
    torch.testing.assert_close(whole(images), parts(images))


@pytest.mark.parametrize('backbone, necks', [
    (NETWORK, ()),
    (NETWORK, (part_of('conv1'), )),
    (part_of('conv1'), ()),
    (part_of('conv1'), (dict(
        part_of('layer1'), network=dict(type='MobileNetV2')), )),
])
def test_others_stay_as_they_are(backbone, necks):
    model = classifier(backbone, *necks)
    weights = {'neck.0.layers.0.weight': torch.ones(1)}
    assert rejoined_network(model, weights) == (model, weights)
