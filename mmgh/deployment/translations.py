"""Types of mmgh in a classifier, as types of mmpretrain that predict the same.

A translation takes the config of a part and its weights, and returns those of
a part without mmgh. The names of the weights are relative to the part. What
does nothing in testing, such as dropout, is left out.
"""
from __future__ import annotations

from typing import Callable, Mapping

import torch
from torch import Tensor, nn

from mmgh.models.heads import BridgeClsHead
from mmgh.registry import MODELS

Weights = Mapping[str, Tensor]

# Layers that the backbones for digits consist of, and what they are told.
_LAYERS = {
    'Conv2d':
    ('in_channels', 'out_channels', 'kernel_size', 'stride', 'padding'),
    'BatchNorm2d': ('num_features', ),
    'BatchNorm1d': ('num_features', ),
    'MaxPool2d': ('kernel_size', ),
    'Linear': ('in_features', 'out_features'),
    'ReLU': (),
    'Flatten': (),
}
# Layers that do nothing in testing.
_IDLE = (nn.Dropout, nn.Dropout2d, nn.Identity)


def linear_neck(part: dict, weights: Weights) -> tuple[dict, Weights]:
    """Translate ``Bottleneck``."""
    out_channels, in_channels = weights['layers.0.weight'].shape
    has_norm = part.get('norm_act', False)
    config = dict(
        type='LinearNeck',
        in_channels=in_channels,
        out_channels=out_channels,
        norm_cfg=dict(type='BN1d') if has_norm else None,
        act_cfg=dict(type='ReLU') if has_norm else None)
    names = {'layers.0': 'fc', 'layers.1': 'norm'}
    return config, {
        f"{names[name.rpartition('.')[0]]}.{name.rpartition('.')[2]}": value
        for name, value in weights.items()
    }


def linear_cls_head(part: dict, weights: Weights) -> tuple[dict, Weights]:
    """Translate ``BridgeClsHead``."""
    config = {**part, 'type': 'LinearClsHead'}
    return config, BridgeClsHead.merge_bridge(weights, prefix='')


def torch_layers(part: dict, weights: Weights) -> tuple[list[dict], Weights]:
    """Translate ``DigitsLeNet`` and ``DigitsDTN``: their layers, in a row."""
    configs, translated = [], {}
    for i, layer in enumerate(MODELS.build(part).layers):
        if isinstance(layer, _IDLE):
            continue
        kind = type(layer).__name__
        for name in layer.state_dict():
            translated[f'{len(configs)}.{name}'] = weights[
                f'layers.{i}.{name}']
        told = {name: getattr(layer, name) for name in _LAYERS[kind]}
        configs.append(dict(type=f'torch.nn.{kind}', **told))
        if isinstance(layer, nn.Conv2d):
            # The last one leaves 4 x 4 pixels.
            width = 16 * layer.out_channels
        elif isinstance(layer, nn.Linear):
            width = layer.out_features
    return _ended(configs, translated, width)


def timm_classifier(part: dict,
                    weights: Weights) -> tuple[list[dict], Weights]:
    """Translate ``TimmFeatures``: a classifier of no classes, whose output
    are the features."""
    width = MODELS.build(part).num_features
    options = {key: value for key, value in part.items()
               if key not in ('type', 'in_channels')}
    config = dict(
        options,
        type='TimmClassifier',
        in_chans=part.get('in_channels', 3),
        num_classes=0)
    return _ended([config], {
        name.replace('timm_model.', '0.', 1): value
        for name, value in weights.items()
    }, width)


def _ended(configs: list[dict], weights: Weights,
           width: int) -> tuple[list[dict], Weights]:
    """End a row of layers by a neck that changes nothing: heads expect a
    tuple, not a tensor."""
    neck = dict(
        type='LinearNeck', in_channels=width, out_channels=width,
        norm_cfg=None)
    return [*configs, neck], {
        **weights,
        f'{len(configs)}.fc.weight': torch.eye(width),
        f'{len(configs)}.fc.bias': torch.zeros(width)
    }


TRANSLATIONS: dict[str, Callable] = {
    'Bottleneck': linear_neck,
    'BridgeClsHead': linear_cls_head,
    'DigitsLeNet': torch_layers,
    'DigitsDTN': torch_layers,
    'TimmFeatures': timm_classifier,
}
