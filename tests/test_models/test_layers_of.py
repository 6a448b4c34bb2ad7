"""A network in two parts is the network."""
from __future__ import annotations

import pytest
import torch
from mmengine.registry import MODELS

RESNET = dict(type='mmpretrain.ResNet', depth=18)
MOBILENET = dict(type='mmpretrain.MobileNetV2', widen_factor=0.25)
SPLITS = [
    (RESNET, ['conv1', 'bn1', 'relu', 'maxpool', 'layer1', 'layer2'],
     ['layer3', 'layer4']),
    (MOBILENET, ['conv1', *(f'layer{i}' for i in range(1, 7))],
     ['layer7', 'conv2']),
]


def part_of(network, layers, **options):
    return MODELS.build(
        dict(type='mmgh.LayersOf', network=network, layers=layers, **options))


@pytest.mark.parametrize('network, first, last', SPLITS)
@pytest.mark.parametrize('as_vectors', [False, True])
def test_two_parts_are_the_whole(network, first, last, as_vectors):
    whole = MODELS.build(network)
    whole.eval()
    between = images = torch.randn(2, 3, 64, 64)
    for layer in first:
        between = whole.get_submodule(layer)(between)
    shape = tuple(between.shape[1:])
    parts = (part_of(network, first, flatten=as_vectors),
             part_of(network, last, in_shape=shape if as_vectors else None))
    for part, layers in zip(parts, (first, last)):
        for layer, name in zip(part.layers, layers):
            layer.load_state_dict(whole.get_submodule(name).state_dict())
        part.eval()
    features = parts[0](images)
    assert features[-1].dim() == (2 if as_vectors else 4)
    torch.testing.assert_close(parts[1](features)[-1], whole(images)[-1])


def test_it_begins_with_the_weights_that_the_network_begins_with(tmp_path):
    whole = MODELS.build(RESNET)
    file = str(tmp_path / 'weights.pth')
    torch.save(whole.state_dict(), file)
    part = part_of(
        dict(RESNET, init_cfg=dict(type='Pretrained', checkpoint=file)),
        ['layer4'])
    part.init_weights()
    for name, value in part.layers[0].state_dict().items():
        assert torch.equal(value, whole.state_dict()[f'layer4.{name}'])


@pytest.mark.parametrize('norm_eval', [True, False])
def test_statistics_move_in_training_unless_they_are_kept(norm_eval):
    part = part_of(MOBILENET, ['conv1', 'layer1'], norm_eval=norm_eval)
    part.eval().train()
    before = {name: value.clone() for name, value in part.named_buffers()}
    images = torch.randn(4, 3, 32, 32)
    trained = part(images)[-1]
    assert norm_eval == all(
        torch.equal(value, before[name])
        for name, value in part.named_buffers())
    assert norm_eval == torch.allclose(trained, part.eval()(images)[-1])
    # Of batch normalisation, scale and shift are trained all the same.
    trained.sum().backward()
    assert all(p.grad is not None for p in part.parameters())


def test_it_has_no_parameters_of_other_layers():
    part = part_of(RESNET, ['layer4'])
    wanted = dict(MODELS.build(RESNET).layer4.named_parameters())
    assert {name.split('.', 2)[2]
            for name, _ in part.named_parameters()} == set(wanted)


@pytest.mark.parametrize('layers', [['layer9'], ['layer4', 'nothing']])
def test_layers_that_are_not_there_are_named(layers):
    with pytest.raises(ValueError, match='`layers` should be names of layers'
                       r".*'layer1'.*but got .*" + layers[-1]):
        part_of(RESNET, layers)


def test_inputs_of_another_size_are_refused():
    part = part_of(RESNET, ['layer4'], in_shape=(256, 2, 2))
    with pytest.raises(ValueError, match=r'`in_shape` .* \(256, 3, 2\)'):
        part(torch.zeros(1, 256, 3, 2))
