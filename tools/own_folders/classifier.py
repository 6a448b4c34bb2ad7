"""The classifier of a study of two folders: a name, or a config."""
from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import torch
from feature_extraction.networks import (build_network, feature_config,
                                         feature_size, is_pretrained,
                                         read_weights)
from image_check import OPENCV
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope
from torch import nn

from mmgh.analysis.trained_model import model_config
from mmgh.config_data import unmarked, without_initialisation
from mmgh.config_file import read_config
from mmgh.deployment.file_pipeline import image_format
from mmgh.input_error import InputError
from mmgh.nested import nested_dicts

# Short names of classifiers in the zoo of mmpretrain that have weights of
# ImageNet. The zoo's own names do as well.
SHORT = {
    'resnet18': 'resnet18_8xb32_in1k',
    'resnet50': 'resnet50_8xb32_in1k',
    'resnet101': 'resnet101_8xb32_in1k',
    'mobilenet-v2': 'mobilenet-v2_8xb32_in1k',
    'mobilenet-v3-small': 'mobilenet-v3-small_3rdparty_in1k',
    'efficientnet-b0': 'efficientnet-b0_3rdparty_8xb32_in1k',
    'convnext-tiny': 'convnext-tiny_32xb128_in1k',
    'swin-tiny': 'swin-tiny_16xb64_in1k',
    'vit-small': 'deit-small_4xb256_in1k',
    'vit': 'vit-base-p16_in21k-pre_3rdparty_in1k-384px',
    'vit-base': 'vit-base-p16_in21k-pre_3rdparty_in1k-384px',
}
TIMM = 'timm/'
# Images of no more pixels than these on a side, unless they are asked for.
LARGEST = 224
OFFLINE = ('Without a connection give a file by --weights, or begin with '
           '--no-pretrained.')


class Found(NamedTuple):
    """A classifier as its config has it."""

    model: dict
    """Backbone, neck and preprocessor; no head."""
    pipelines: tuple[list[dict], list[dict]] | None
    """Of training and test, where the config is the user's."""
    shape: tuple[int, int, int]
    """Of an image: channels, height, width."""
    weights: str | None
    """File or address of pretrained ones; None if the model names them, or
    there are none."""


class Classifier(NamedTuple):
    """What the configs of a study need to know of one."""

    found: Found
    features: int
    """Their number, behind backbone and neck."""
    state: dict | None
    """Pretrained weights of backbone and neck; None without."""
    has_layer_norm: bool


def find_classifier(name: str, size: int | None) -> Found:
    """Find a classifier by a short name, a name of mmpretrain's zoo,
    ``timm/NAME``, or the config of one.

    Args:
        name (str): The name, or the file.
        size (int, optional): Pixels of the images, on a side; None as the
            classifier was trained with, but at most 224.

    Raises:
        InputError: If there is none.
    """
    init_default_scope('mmpretrain')
    if name.startswith(TIMM):
        return _of_timm(name[len(TIMM):], size)
    own = is_config(name)
    cfg, weights = _of_config(name) if own else _of_zoo(name)
    with_data = cfg.get('test_dataloader') or cfg.get('val_dataloader')
    if not with_data:
        pipeline = _no_change(_size_of_backbone(cfg))
        cfg.test_dataloader = dict(dataset=dict(pipeline=pipeline))
    config = feature_config(cfg)
    shape = image_format(config['test_pipeline']).shape
    pipelines = None
    if own and with_data and size is None:
        pipelines = config['train_pipeline'], config['test_pipeline']
    else:
        size = size or min(LARGEST, shape[1])
        shape = shape[0], size, size
    model = config['model']
    if 'img_size' in model['backbone']:
        model['backbone']['img_size'] = shape[1]
    return Found(model, pipelines, shape, weights)


def is_config(name: str) -> bool:
    """Tell whether a classifier is named by its config."""
    return '::' in name or Path(name).suffix == '.py'


def backends_of(found: Found) -> tuple[str, ...]:
    """Return what reads the images, as ``imdecode_backend`` says; MMEngine's
    default, where the pipelines are ours."""
    steps = [step for _, step in nested_dicts(list(found.pipelines or ()))
             if str(step.get('type')).endswith('LoadImageFromFile')]
    backends = [step.get('imdecode_backend', OPENCV) for step in steps]
    return tuple(dict.fromkeys(backends)) or (OPENCV, )


def _size_of_backbone(cfg: Config) -> int:
    """Return the size of images that a backbone is made for."""
    backbone = unmarked(model_config(cfg)).get('backbone') or {}
    size = backbone.get('img_size') or LARGEST
    return size if isinstance(size, int) else max(size)


def _no_change(size: int) -> list[dict]:
    return [dict(type='LoadImageFromFile'),
            dict(type='Resize', scale=(size, size)),
            dict(type='PackInputs')]


def _of_config(name: str) -> tuple[Config, str | None]:
    cfg = read_config(name)
    return cfg, cfg.get('load_from')


def _of_zoo(name: str) -> tuple[Config, str]:
    # Not for --help.
    from mmpretrain.apis import ModelHub
    try:
        found = ModelHub.get(SHORT.get(name, name))
    except ValueError as error:
        raise InputError(
            f"`--classifier` should be one of {', '.join(SHORT)}, another "
            'name of the zoo of mmpretrain, timm/NAME, or the config of a '
            f'classifier, but got {name!r}.') from error
    if not found.weights:
        raise InputError(f'`--classifier` {name!r} should have weights in the '
                         'zoo of mmpretrain, but has none.')
    return found.config, found.weights


def _of_timm(name: str, size: int | None) -> Found:
    backbone = dict(
        type='mmgh.TimmFeatures', model_name=name, pretrained=True)
    default = _default_of_timm(backbone)
    size = size or min(LARGEST, default['input_size'][-1])
    if default.get('fixed_input_size'):
        backbone['img_size'] = size
    model = dict(
        type='ImageClassifier',
        data_preprocessor=dict(
            mean=[255. * value for value in default['mean']],
            std=[255. * value for value in default['std']],
            to_rgb=True),
        backbone=backbone)
    return Found(model, None, (3, size, size), None)


def _default_of_timm(backbone: dict) -> dict:
    """Return what timm says of the images of a network."""
    try:
        network = MODELS.build(without_initialisation(backbone))
    except InputError as error:
        raise InputError(
            f"`--classifier timm/{backbone['model_name']}`: {error}"
        ) from error
    return network.timm_model.default_cfg


def build_classifier(found: Found, pretrained: bool,
                     weights: str | None) -> Classifier:
    """Build backbone and neck once, with their weights.

    Args:
        found (Found): The classifier.
        pretrained (bool): Whether to take the weights that it names.
        weights (str, optional): A file that has them instead.

    Raises:
        InputError: If the weights are not there, or not of this classifier.
    """
    model = found.model
    network, has_weights = _network(model, found.weights, pretrained, weights)
    features = feature_size(network, found.shape)
    layer_norm = any(isinstance(part, nn.LayerNorm)
                     for part in network.modules())
    return Classifier(found, features,
                      network.state_dict() if has_weights else None,
                      layer_norm)


def _network(model: dict, own: str | None, pretrained: bool,
             file: str | None) -> tuple[nn.Module, bool]:
    """Return it, and whether it is pretrained."""
    if file is not None:
        # Of other files the address would be told as if it were a name.
        if not Path(file).is_file():
            raise InputError(f'`--weights` should be a file, but got {file}.')
        try:
            return build_network(model, read_weights(file)), True
        except InputError as error:
            raise InputError(f'--weights: {error}') from error
    if pretrained and (own or is_pretrained(model)):
        try:
            return build_network(model, own and read_weights(own)), True
        except Exception as error:  # of connections, of several libraries
            reason = ' '.join(str(error).split())
            if not isinstance(error, InputError):
                reason = f'{type(error).__name__}: {reason}'
            raise InputError('The pretrained weights should be downloaded, '
                             f"but: {reason.rstrip('.')}. {OFFLINE}"
                             ) from error
    return MODELS.build(without_initialisation(model)).eval(), False


def write_weights(state: dict, path: Path) -> None:
    """Write the pretrained weights, from which each run begins."""
    partial = path.with_suffix('.part')
    torch.save(dict(state_dict=state), partial)
    partial.replace(path)
