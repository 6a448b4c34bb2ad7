"""Configs made small enough for a step on a CPU, and batches for them."""
from __future__ import annotations

import inspect
from functools import partial
from unittest import mock

import torch
from mmengine.config import Config
from mmengine.optim import OptimWrapper, OptimWrapperDict, build_optim_wrapper
from mmengine.registry import MODELS
from mmpretrain.structures import DataSample

from mmgh.datasets.domain_pair_dataset import DomainPair
from mmgh.task_losses import harmonizes

BATCH = 4
SMALL_VIT = dict(
    embed_dims=32, num_layers=3, num_heads=2, feedforward_channels=64)


def without_pretraining(node):
    """Remove what would be downloaded, everywhere in a model's config."""
    if isinstance(node, dict):
        return type(node)({
            key: without_pretraining(value)
            for key, value in node.items()
            if key != 'init_cfg' or 'Pretrained' not in str(value)
        })
    if isinstance(node, (list, tuple)):
        return type(node)(without_pretraining(item) for item in node)
    return node


def build_without_memory(config: Config):
    """The model in full size, whose tensors have shapes but no values."""
    # Backbones do read values of it: rates of stochastic depth.
    linspace = partial(torch.linspace, device='cpu')
    with torch.device('meta'), mock.patch('torch.linspace', linspace):
        return MODELS.build({
            'data_preprocessor': config.data_preprocessor,
            **without_pretraining(config.model.to_dict())
        })


def input_shape(config: Config) -> tuple[int, ...]:
    """Of what the data set gives: an image, or frozen features."""
    if config.model.backbone.type == 'mmgh.PassOn':
        return (config.model.neck.in_channels, )
    size = _image_size(config)
    return 3, size, size


def _image_size(config: Config) -> int:
    for step in config.test_dataloader.dataset.pipeline:
        if step.type == 'CenterCrop':
            return step.crop_size
        if step.type == 'Resize' and step.scale[0] < 64:
            return step.scale[0]
    return 28  # the embedded digits


def shrink(config: Config) -> tuple[dict, tuple[int, ...]]:
    """Config of a small model with the same parts, and its input's shape.

    A layer that expects what the pretrained backbone gives expects what the
    small one gives; whatever else it expects stays, and so do its errors.
    """
    model = without_pretraining(config.model.to_dict())
    channels, *sizes = input_shape(config)
    sizes = [min(size, 32) for size in sizes]
    backbone = model['backbone']
    if backbone['type'] == 'ResNet':
        width = 512 if backbone['depth'] == 18 else 2048
        backbone.update(depth=18, base_channels=16, stem_channels=16)
        _narrow(model, width, 128)
    elif backbone.get('arch') == 'base':
        backbone.update(arch=SMALL_VIT, img_size=sizes[0])
        _narrow(model, 768, SMALL_VIT['embed_dims'])
        model['perturbed_layers'] = (0, 1, 2)
    if 'uda_head' in model:
        _shrink_head(model['uda_head'])
    return model, (channels, *sizes)


def _narrow(node, old: int, new: int) -> None:
    """Of all layers that take ``old`` channels."""
    if isinstance(node, dict):
        if node.get('in_channels') == old:
            node['in_channels'] = new
        node = list(node.values())
    if isinstance(node, (list, tuple)):
        for item in node:
            _narrow(item, old, new)


def _shrink_head(head: dict) -> None:
    """The layers that belong to the UDA head alone."""
    options = inspect.signature(MODELS.get(head['type'])).parameters
    if 'adversary' in head:
        _shrink_head(head['adversary'])
    elif 'discriminator' in options:
        head['discriminator'] = {
            **head.get('discriminator', {}), 'hidden_channels': 16
        }
    elif 'hidden_channels' in options:
        head['hidden_channels'] = 16
    if 'random_dim' in head.get('multilinear_map', {}):
        head['multilinear_map']['random_dim'] = 32


def make_batch(config: Config, shape: tuple[int, ...]) -> dict:
    """Random inputs, with labels of the source, as a train loader gives."""
    classes = config.model.get('head', {}).get('num_classes', 10)
    source = dict(
        inputs=_inputs(shape),
        data_samples=[
            DataSample().set_gt_label(i % classes) for i in range(BATCH)
        ])
    if config.train_dataloader.dataset.type != 'mmgh.DomainPairDataset':
        return source
    return DomainPair(source=source, target=dict(inputs=_inputs(shape)))


def _inputs(shape: tuple[int, ...]) -> torch.Tensor:
    return torch.randint(0, 256, (BATCH, *shape), dtype=torch.uint8)


def harmonized_part(optim_wrapper):
    """Of a model with several optimizers: the one that harmonizes, or else
    that of its features."""
    if isinstance(optim_wrapper, OptimWrapperDict):
        harmonizing = [w for w in optim_wrapper.values() if harmonizes(w)]
        return (*harmonizing, optim_wrapper['generator'])[0]
    if isinstance(optim_wrapper, OptimWrapper):
        return optim_wrapper
    return optim_wrapper.get('generator', optim_wrapper)


def assert_takes_a_step(config: Config):
    """A small copy trains, in all of its parts; returns its optim wrapper."""
    small, shape = shrink(config)
    model = MODELS.build(
        {'data_preprocessor': config.data_preprocessor, **small}).train()
    wrapper = build_optim_wrapper(model, config.optim_wrapper)
    wrapper.initialize_count_status(model, 0, 1)
    before = {k: p.detach().clone() for k, p in model.named_parameters()}
    log = model.train_step(make_batch(config, shape), wrapper)
    assert all(torch.isfinite(torch.as_tensor(v)) for v in log.values())
    changed = set()
    for name, parameter in model.named_parameters():
        assert torch.isfinite(parameter).all(), name
        if not torch.equal(parameter, before[name]):
            changed.add(name.split('.')[0])
    assert changed == {name.split('.')[0] for name in before}
    return wrapper
