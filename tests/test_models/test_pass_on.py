"""Training on features is training behind a network that gives them."""
from __future__ import annotations

import pytest
import torch
from mmengine.registry import MODELS
from mmpretrain.structures import DataSample
from torch import nn

from mmgh.datasets.domain_pair_dataset import DomainPair
from mmgh.models import PassOn

SIZE = 6


def build(backbone: dict, **options) -> nn.Module:
    torch.manual_seed(0)
    return MODELS.build(
        dict(
            type='mmgh.UDAClassifier',
            backbone=backbone,
            neck=[
                dict(
                    type='mmgh.Bottleneck',
                    in_channels=SIZE,
                    out_channels=4,
                    norm_act=True)
            ],
            head=dict(type='LinearClsHead', in_channels=4, num_classes=3),
            uda_head=dict(type='mmgh.MCCHead'),
            data_preprocessor=dict(type='ClsDataPreprocessor'),
            **options))


def batch(inputs: torch.Tensor) -> DomainPair:
    half = len(inputs) // 2
    labels = [DataSample().set_gt_label(i % 3) for i in range(half)]
    return DomainPair(
        source=dict(inputs=inputs[:half], data_samples=labels),
        target=dict(inputs=inputs[half:]))


@pytest.mark.parametrize('domain_forward', ['separate', 'joint'])
def test_losses_are_those_of_the_network_that_gives_them(domain_forward):
    features = torch.randn(8, SIZE).half()
    model = build(dict(type='mmgh.PassOn'), domain_forward=domain_forward)
    # Images of one pixel, whose channels are the features.
    whole = build(
        dict(type='torch.nn.Flatten'), domain_forward=domain_forward)
    whole.load_state_dict(model.state_dict())
    whole.backbone.register_forward_hook(lambda *args: (args[-1], ))
    found, expected = (
        network.loss(**network.data_preprocessor(batch(inputs), True))
        for network, inputs in ((model, features),
                                (whole, features[..., None, None])))
    assert found.keys() == expected.keys() >= {'loss_cls', 'loss_mcc'}
    for name, value in found.items():
        assert value.dtype == torch.float32
        torch.testing.assert_close(value, expected[name])


def test_it_hands_on_what_it_gets_and_has_no_weights():
    features = torch.randn(2, SIZE)
    found, = PassOn()(features)
    assert found is features and not PassOn().state_dict()


def test_images_are_refused():
    with pytest.raises(ValueError, match=r'features.* \(2, 3, 8, 8\)'):
        PassOn()(torch.zeros(2, 3, 8, 8))
