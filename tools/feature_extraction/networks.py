"""The part of a classifier that makes features, with its weights."""
from __future__ import annotations

from typing import Mapping

import torch
from mmengine.config import Config
from mmengine.registry import MODELS
from mmengine.runner import CheckpointLoader
from torch import Tensor, nn

from mmgh.analysis.trained_model import model_config
from mmgh.checkpoints import check_finite
from mmgh.config_data import (innermost_datasets, loads_file, loads_files,
                              unmarked, without_initialisation)
from mmgh.deployment.file_pipeline import file_pipeline, image_format
from mmgh.input_error import InputError
from .pooling import ADVICE, checked_pooling

# Where the weights of a backbone are in those of a classifier; a file of timm
# has no more than these.
PREFIXES = ('', 'backbone.', 'backbone.timm_model.')


def feature_config(cfg: Config) -> dict:
    """Return the model without its head, and how images enter it."""
    model = unmarked(model_config(cfg))
    preprocessor = model.get('data_preprocessor') or {}
    # UDA classifiers may have another preprocessor around it.
    preprocessor = dict(preprocessor.get('preprocessor', preprocessor))
    preprocessor.pop('batch_augments', None)  # they are for training
    parts = dict(backbone=model.get('backbone'), neck=model.get('neck'))
    if not parts['backbone']:
        raise InputError('`model` should have a backbone, but has '
                         f'{sorted(model)}.')
    test = file_pipeline(cfg)
    config = dict(
        model=dict(
            type='ImageClassifier', data_preprocessor=preprocessor, **parts),
        test_pipeline=test,
        train_pipeline=train_pipeline(cfg, test))
    return Config(config).to_dict()


def train_pipeline(cfg: Config, test_pipeline: list[dict]) -> list[dict]:
    """Return that of the source; a crop of the size of test images and their
    mirror images, where there is none for files."""
    loader = cfg.get('train_dataloader') or {}
    dataset = loader.get('dataset') or {}
    dataset = dataset.get('source', dataset)
    for part in innermost_datasets(dataset).values():
        if loads_files(part.get('pipeline') or ()):
            return part['pipeline']
    _, height, width = image_format(test_pipeline).shape
    return [
        # In the same colours.
        next(filter(loads_file, test_pipeline)),
        dict(type='RandomResizedCrop', scale=(width, height)),
        dict(type='RandomFlip', prob=0.5, direction='horizontal'),
        dict(type='PackInputs'),
    ]


def build_network(config: dict,
                  weights: Mapping[str, Tensor] | None) -> nn.Module:
    """Build a model without a head, ready to extract features.

    Args:
        config (dict): Of the model.
        weights (Mapping[str, Tensor], optional): Of all of it, or of the
            backbone. None: as the config initialises it.

    Raises:
        InputError: If the weights lack some, or the config has none.
    """
    if weights is None:
        if not is_pretrained(config):
            raise InputError(
                'The config should say where the weights of the backbone are, '
                'by `init_cfg` or `pretrained`, but does not. Give a '
                'checkpoint.', argument='checkpoint')
        model = MODELS.build(config)
        model.init_weights()
        return model.eval()
    model = MODELS.build(without_initialisation(config))
    load_weights(model, weights)
    return model.eval()


def is_pretrained(node) -> bool:
    """Tell whether a config names weights to begin with."""
    if isinstance(node, dict):
        return (node.get('type') == 'Pretrained'
                or bool(node.get('pretrained') or node.get('checkpoint_path'))
                or any(map(is_pretrained, node.values())))
    return isinstance(node, (list, tuple)) and any(map(is_pretrained, node))


def read_weights(checkpoint: str) -> Mapping[str, Tensor]:
    """Read the weights of a checkpoint, of this or another library."""
    try:
        content = CheckpointLoader.load_checkpoint(
            checkpoint, map_location='cpu')
    except Exception as error:  # torch names no common type
        raise InputError(
            f'{checkpoint} should be a checkpoint, but reading it failed: '
            f'{type(error).__name__}: {error}',
            argument='checkpoint') from error
    for key in ('state_dict', 'model'):
        content = content.get(key, content)
    check_finite(content, checkpoint)
    return content


def load_weights(model: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Load all weights of a model; those of a head may be left."""
    wanted = model.state_dict()
    missing = {}
    for prefix in PREFIXES:
        found = {
            f'{prefix}{key}': value
            for key, value in weights.items() if f'{prefix}{key}' in wanted
        }
        missing[prefix] = sorted(set(wanted) - set(found))
        if not missing[prefix]:
            _load(model, found)
            return
    fewest = min(missing.values(), key=len)
    raise InputError(
        f'The checkpoint should have all {len(wanted)} weights of backbone '
        f'and neck, but lacks {len(fewest)}, such as {fewest[0]}.',
        argument='checkpoint')


def _load(model: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Load weights of these names; a model may resize what it has of
    positions, so that other shapes are not wrong by themselves."""
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        reason = ' '.join(str(error).split())
        raise InputError(
            'The checkpoint should have the weights of backbone and neck, '
            f'but: {reason}', argument='checkpoint') from error


@torch.no_grad()
def feature_size(model: nn.Module, shape: tuple[int, int, int]) -> int:
    """Return the length of the features of an image of this shape.

    Raises:
        InputError: If they are no vectors, or means of something else than
            pixels, or if the network does not take such images.
    """
    device = next(model.parameters()).device
    images = torch.zeros(2, *shape, dtype=torch.uint8, device=device)
    try:
        with checked_pooling(model):
            features = features_of_images(model, images)
    except InputError:
        raise
    except Exception as error:  # networks name no common type
        reason = ' '.join(str(error).split()) or 'it does not say why'
        raise InputError(
            f'Backbone and neck should take images of shape {shape}, but end '
            f'in {type(error).__name__}: {reason}') from error
    if features.dim() != 2:
        advice = ('A neck such as '
                  "dict(type='GlobalAveragePooling') makes it one."
                  if features.dim() == 4 else ADVICE)
        raise InputError(
            'Backbone and neck should give one vector an image, but give '
            f'shape {tuple(features.shape[1:])}. {advice}')
    return features.shape[1]


@torch.no_grad()
def features_of_images(model: nn.Module, images: Tensor) -> Tensor:
    """What the head would get of images ``(N, C, H, W)``: ``(N, D)``."""
    data = model.data_preprocessor(dict(inputs=images), False)
    features = model.extract_feat(data['inputs'])
    while isinstance(features, (list, tuple)):
        features = features[-1]
    return features
