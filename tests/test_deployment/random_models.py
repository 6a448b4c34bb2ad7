"""Small models of configs, with weights as if they were trained."""
from __future__ import annotations

import re

import torch
from mmengine.config import Config
from mmengine.registry import MODELS
from torch import Tensor, nn

from ..config_names import CONFIGS, HARMONIZED, load
from ..shrunk_configs import shrink


def one_of_each_classifier() -> dict:
    """Configs whose classifiers differ in more than sizes."""
    found = {}
    for path in CONFIGS:
        # A head on features gets its backbone back before it is exported.
        if path not in HARMONIZED and path.parent.name not in ('multi_task',
                                                               'features'):
            model = load(path).model
            parts = [model.get(name) for name in ('backbone', 'neck', 'head')]
            structure = re.sub(r'\d+', '', str([model.type, *parts]))
            found.setdefault(structure, path)
    return {
        '_'.join(path.stem.split('_')[:2]): path
        for path in found.values()
    }


def small(path) -> Config:
    """A config with a small model, and images of the size that it takes."""
    config = load(path)
    model, (_, size, _) = shrink(config)
    config.model = model
    pipeline = config.test_dataloader.dataset.pipeline
    if len(pipeline) == 1:  # do not render digits to learn their size
        pipeline.insert(0, dict(type='Resize', scale=(size, size)))
    for step in pipeline:
        if step['type'] == 'CenterCrop':
            step['crop_size'] = size
    return config


def build(config) -> nn.Module:
    """A model whose normalisations and biases matter, too."""
    model = MODELS.build({
        'data_preprocessor': config['data_preprocessor'],
        **config['model']
    })
    for value in model.state_dict().values():
        if value.is_floating_point() and value.dim() == 1:
            value.uniform_(0.5, 1.5)
    return model.eval()


def random_images(size: int, number: int = 3) -> Tensor:
    return torch.randint(0, 256, (number, 3, size, size), dtype=torch.uint8)
