"""What a neck should not take the mean of is refused, where the length of
the features is found."""
from __future__ import annotations

from importlib import import_module

import pytest
import torch
from mmengine.registry import MODELS
from torch import nn

from mmgh.input_error import InputError

SHAPE = 3, 32, 32
POOLING = dict(type='mmpretrain.GlobalAveragePooling')
VIT = dict(
    type='mmpretrain.VisionTransformer',
    arch=dict(embed_dims=24, num_layers=1, num_heads=2,
              feedforward_channels=24),
    img_size=32, patch_size=16)


class Network(nn.Module):
    """As one of timm: an output, and how many channels it is said to have."""

    num_features = 6

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.shape = shape
        self.weight = nn.Parameter(torch.zeros(1))


class Backbone(nn.Module):
    """As ``TIMMBackbone`` of mmpretrain."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.timm_model = Network(shape)

    def forward(self, x):
        return (x.new_zeros(len(x), *self.timm_model.shape), )


@pytest.fixture
def size_of(load_tool):
    networks = import_module('feature_extraction.networks')

    def run(backbone, neck=POOLING) -> int:
        model = dict(type='mmpretrain.ImageClassifier', neck=neck,
                     backbone=dict(VIT) if isinstance(backbone, tuple)
                     else backbone)
        model = MODELS.build(model)
        if isinstance(backbone, tuple):
            model.backbone = Backbone(backbone)
        return networks.feature_size(model.eval(), SHAPE)

    return run


def test_maps_of_the_channels_of_timm_are_pooled(size_of):
    assert size_of((6, 2, 3)) == 6


@pytest.mark.parametrize('shape', [(4, 6), (2, 3, 6), (6, )])
@pytest.mark.parametrize('kind', ['GlobalAverage', 'GeneralizedMean'])
def test_tokens_and_channels_behind_places_are_refused(size_of, shape, kind):
    neck = dict(type=f'mmpretrain.{kind}Pooling')
    with pytest.raises(InputError, match='Pooling should get.*TimmFeatures'):
        size_of(shape, neck)


@pytest.mark.parametrize('out_type, features',
                         [('cls_token', 24), ('avg_featmap', 24)])
def test_vectors_of_a_transformer_need_no_neck(size_of, out_type, features):
    vit = dict(VIT, out_type=out_type)
    assert size_of(vit, None) == features
    with pytest.raises(InputError, match=r'got shape \(2, 24\).*without such'):
        size_of(vit)


def test_its_maps_are_pooled(size_of):
    assert size_of(dict(VIT, out_type='featmap')) == 24


def test_its_tokens_are_refused(size_of):
    vit = dict(VIT, out_type='raw')
    with pytest.raises(InputError, match=r'got shape \(2, 5, 24\)'):
        size_of(vit)
    with pytest.raises(InputError, match=r"shape \(5, 24\).*'avg_featmap'"):
        size_of(vit, None)


def test_check_ends_with_its_context(load_tool):
    pooling = import_module('feature_extraction.pooling')
    model = MODELS.build(
        dict(type='mmpretrain.ImageClassifier', backbone=VIT, neck=POOLING))
    with pooling.checked_pooling(model):
        pass
    assert model.neck(torch.zeros(2, 5, 24)).shape == (2, 1)


def test_an_image_that_a_network_does_not_take_is_told(load_tool):
    networks = import_module('feature_extraction.networks')
    model = MODELS.build(dict(
        type='mmpretrain.ImageClassifier', neck=POOLING,
        backbone=dict(type='mmpretrain.ResNet', depth=18, in_channels=4)))
    with pytest.raises(InputError, match=r'images of shape \(3, 32, 32\).*ch'):
        networks.feature_size(model, SHAPE)


# Of timm: each pooled in another way; the last one takes images of any size.
@pytest.mark.parametrize('name, features', [
    ('test_vit', 64), ('levit_128s', 384), ('test_resnet', 96),
    ('coat_lite_tiny', 320)])
def test_study_takes_networks_of_timm_at_any_size(load_tool, name, features):
    pytest.importorskip('timm')
    classifier = import_module('own_folders.classifier')
    found = classifier.find_classifier(f'timm/{name}', 64)
    built = classifier.build_classifier(found, False, None)
    assert (found.shape, built.features) == ((3, 64, 64), features)


@pytest.mark.parametrize('name', ['no_such_network', 'test_vit.no_tag'])
def test_study_refuses_what_timm_lacks(load_tool, name):
    pytest.importorskip('timm')
    classifier = import_module('own_folders.classifier')
    with pytest.raises(InputError, match=f'`--classifier timm/{name}`: '):
        classifier.find_classifier(f'timm/{name}', None)


# One that has no token of classes and no map whose channels come first.
@pytest.mark.parametrize('name', [
    'test_vit', 'swin_tiny_patch4_window7_224'])
def test_a_backbone_of_timm_behind_a_neck_is_refused(size_of, name):
    pytest.importorskip('timm')
    with pytest.raises(InputError, match='GlobalAveragePooling should get'):
        size_of(dict(type='mmpretrain.TIMMBackbone', model_name=name,
                     img_size=32))


@pytest.mark.parametrize('name, features', [
    ('test_resnet', 96), ('mobilenetv3_small_050', 1024)])
def test_one_with_maps_is_not(size_of, name, features):
    pytest.importorskip('timm')
    assert size_of(
        dict(type='mmpretrain.TIMMBackbone', model_name=name)) == features


@pytest.mark.parametrize('size, is_told', [(64, False), (32, True)])
def test_weights_of_other_shapes_are_told(load_tool, size, is_told):
    """But for positions, which mmpretrain resizes."""
    networks = import_module('feature_extraction.networks')

    def config(size: int, width: int) -> dict:
        return dict(type='mmpretrain.ImageClassifier', backbone=dict(
            VIT, img_size=size, arch=dict(VIT['arch'], feedforward_channels=(
                width))))

    weights = MODELS.build(config(size, 12 if is_told else 24)).state_dict()
    if is_told:
        with pytest.raises(InputError, match='weights of .* size mismatch'):
            networks.build_network(config(32, 24), weights)
    else:
        networks.build_network(config(32, 24), weights)
