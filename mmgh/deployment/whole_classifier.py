"""A network on frozen features, and the one that made them, as one."""
from __future__ import annotations

from typing import Any

from mmengine.config import Config

from mmgh.config_data import innermost_datasets, target_loader
from mmgh.feature_network import FeatureNetwork, read_network
from mmgh.input_error import InputError
from .known_types import check_known_types
from .rejoined_network import rejoined_network
from .translations import Weights


def starts_from_features(model: dict) -> bool:
    """Tell whether a model has no backbone of its own."""
    kind = (model.get('backbone') or {}).get('type', '')
    return str(kind).split('.')[-1] == 'PassOn'


def whole_classifier(cfg: Config, state_dict: Weights,
                     dataset_meta: dict) -> tuple[Config, Weights]:
    """Put what was trained behind the network that made its features.

    Args:
        cfg (Config): Of a training on frozen features.
        state_dict (Mapping[str, Tensor]): Of the trained model.
        dataset_meta (dict): Meta information of its data.

    Returns:
        tuple: A config of an ``ImageClassifier``, as if it had been trained
        on images, and the weights for it. Its test data are folders of
        classes in ``data/test``.

    Raises:
        InputError: If the folder of the features is not there, if its network
            is another one, or if it has a type that is no part of a network.
    """
    network = _read_network(cfg, dataset_meta)
    front = network.config['model']
    necks, weights = _necks(front.get('neck'), network.weights)
    own_necks, own_weights = _necks(cfg.model.get('neck'), state_dict)
    for name, value in own_weights.items():
        number, _, rest = name.partition('.')
        weights[f'{len(necks) + int(number)}.{rest}'] = value
    weights = {f'neck.{name}': value for name, value in weights.items()}
    for part, source in (('backbone', network.weights), ('head', state_dict)):
        weights.update({
            name: value
            for name, value in source.items() if name.startswith(f'{part}.')
        })
    model = dict(
        type='ImageClassifier',
        backbone=front['backbone'],
        neck=necks + own_necks or None,
        head=cfg.model.head)
    model, weights = rejoined_network(model, weights)
    data = dict(
        type='CustomDataset',
        data_root='data/test',
        metainfo=dict(classes=dataset_meta['classes']),
        pipeline=network.config['test_pipeline'])
    return Config({
        **cfg.to_dict(), 'model': model,
        'data_preprocessor': front['data_preprocessor'],
        'test_dataloader': {**target_loader(cfg), 'dataset': data}
    }), weights


def _read_network(cfg: Config, dataset_meta: dict) -> FeatureNetwork:
    dataset = cfg.train_dataloader.dataset
    dataset = dataset.get('source', dataset)
    folder = next(iter(innermost_datasets(dataset).values())).data_root
    network = read_network(folder)
    trained_on = dataset_meta.get('network')
    if network.digest != trained_on:
        raise InputError(
            f'{folder} should have the network {trained_on}, which made the '
            f'features that the run was trained on, but has {network.digest}.')
    check_known_types(network.config['model'], network.config['test_pipeline'])
    return network


def _necks(neck: Any, weights: Weights) -> tuple[list, dict]:
    """Return necks as a list, and their weights, which begin with the
    number of the neck."""
    within = {
        name[len('neck.'):]: value
        for name, value in weights.items() if name.startswith('neck.')
    }
    if isinstance(neck, (list, tuple)):
        return list(neck), within
    return ([] if neck is None else [neck],
            {f'0.{name}': value for name, value in within.items()})
