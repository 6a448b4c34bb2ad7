"""Networks of timm give what timm itself would classify by."""
from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS
from mmpretrain.structures import DataSample
from torch import nn

from mmgh.deployment import probabilities_of
from mmgh.deployment.plain_classifier import plain_classifier
from mmgh.input_error import InputError
from mmgh.models import TimmFeatures
from ..test_deployment.random_models import build, random_images

# A class token, tokens that are averaged, maps with channels last and with
# channels first, and a layer behind the mean.
NETWORKS = {
    'test_vit': dict(img_size=32),
    'mixer_s32_224': dict(img_size=32),
    'swin_tiny_patch4_window7_224': dict(
        img_size=32, embed_dim=8, depths=(1, 1), num_heads=(1, 2)),
    'test_resnet': {},
    'mobilenetv3_small_050': {},
}


@pytest.mark.parametrize('name', NETWORKS)
def test_features_are_what_the_classifier_of_timm_gets(name):
    timm = pytest.importorskip('timm')
    images = torch.randn(2, 3, 32, 32)
    network = timm.create_model(name, num_classes=7, **NETWORKS[name]).eval()
    backbone = TimmFeatures(name, **NETWORKS[name]).eval()
    weights = {f'timm_model.{key}': value
               for key, value in network.state_dict().items()}
    backbone.load_state_dict(
        {key: weights[key] for key in backbone.state_dict()})
    features, = backbone(images)
    torch.testing.assert_close(
        features, network.forward_head(
            network.forward_features(images), pre_logits=True))
    torch.testing.assert_close(
        network.get_classifier()(features), network(images))


def test_weights_of_timm_are_not_drawn_again():
    pytest.importorskip('timm')
    backbone = TimmFeatures('test_vit')
    before = {key: value.clone()
              for key, value in backbone.state_dict().items()}
    backbone.init_weights()
    for key, value in backbone.state_dict().items():
        assert torch.equal(value, before[key])


def classifier(name: str, features: int) -> Config:
    step = dict(type='mmpretrain.LoadImageFromFile')
    data = dict(type='CustomDataset', data_root='x', pipeline=[step])
    return Config(dict(
        data_preprocessor=dict(mean=[9.] * 3, std=[50.] * 3, to_rgb=True),
        test_dataloader=dict(dataset=data),
        model=dict(
            type='mmgh.UDAClassifier',
            backbone=dict(
                type='mmgh.TimmFeatures', model_name=name, **NETWORKS[name]),
            neck=dict(type='mmgh.Bottleneck', in_channels=features,
                      out_channels=8),
            head=dict(
                type='mmpretrain.LinearClsHead', in_channels=8, num_classes=3),
            uda_head=dict(type='mmgh.DANNHead'))))


@pytest.mark.parametrize('name, features',
                         [('test_vit', 64), ('test_resnet', 96)])
def test_exported_without_mmgh_it_predicts_the_same(name, features):
    pytest.importorskip('timm')
    config = classifier(name, features)
    model = build(config)
    plain_config, weights = plain_classifier(config, model.state_dict(), 'abc')
    assert 'mmgh' not in Config(plain_config).pretty_text
    plain = build(plain_config)
    plain.load_state_dict(weights)
    images = random_images(32)
    expected = probabilities_of(model, images)
    assert expected.std() > 0
    torch.testing.assert_close(
        probabilities_of(plain, images), expected, atol=1e-5, rtol=1e-4)


def test_it_adapts():
    pytest.importorskip('timm')
    model = MODELS.build(classifier('test_vit', 64).model)
    images = torch.randn(4, 3, 32, 32)
    samples = [DataSample().set_gt_label(i % 3) for i in range(4)]
    losses = model(
        dict(source=images, target=images), samples, mode='loss')
    sum(losses[name] for name in ('loss_cls', 'loss_domain')).backward()
    first = model.backbone.timm_model.patch_embed.proj.weight
    assert first.grad.abs().sum() > 0


def stand_in(network: nn.Module) -> SimpleNamespace:
    """A timm that has one network."""
    return SimpleNamespace(create_model=lambda name, **options: network)


class Tokens(nn.Module):
    num_features = 8

    def forward(self, x):
        return x.new_zeros(len(x), 5, 8)


class Shorter(Tokens):

    def forward(self, x):
        return x.new_zeros(len(x), 4)


@pytest.mark.parametrize('network, shape',
                         [(Tokens(), r'\(5, 8\)'), (Shorter(), r'\(4,\)')])
def test_what_is_no_vector_of_its_size_is_refused(monkeypatch, network, shape):
    monkeypatch.setitem(sys.modules, 'timm', stand_in(network))
    with pytest.raises(InputError, match=f'vector of 8 num.*shape {shape}'):
        TimmFeatures('any')(torch.zeros(2, 3, 8, 8))


def test_without_timm_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, 'timm', None)
    with pytest.raises(InputError, match='needs timm: pip install timm'):
        TimmFeatures('resnet18')


@pytest.mark.parametrize('name', ['no_such_network', 'resnet18.no_such_tag'])
def test_names_that_timm_lacks_are_refused(name):
    pytest.importorskip('timm')
    with pytest.raises(InputError, match=f'`model_name` should .*{name}'):
        TimmFeatures(name)
