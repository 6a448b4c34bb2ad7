"""A UDA classifier as an ``ImageClassifier`` that knows nothing of mmgh.

Pure functions: config to config, weights to weights.
"""
from __future__ import annotations

from typing import Any, Sequence

from mmengine.config import Config
from mmengine.registry import MODELS
from mmpretrain.models import ImageClassifier

from mmgh.config_data import (innermost_datasets, loads_files, pipeline_of,
                              target_loader, target_test_data, unmarked,
                              without_initialisation)
from mmgh.input_error import InputError
from .file_pipeline import file_pipeline
from .translations import TRANSLATIONS, Weights

_PARTS = ('backbone', 'neck', 'head')


def plain_classifier(cfg: Config, state_dict: Weights,
                     classes: Sequence[str]) -> tuple[dict, Weights]:
    """Return what mmpretrain needs to predict and to test.

    Args:
        cfg (Config): Of the training.
        state_dict (Mapping[str, Tensor]): Of the trained model.
        classes (Sequence[str]): Names.

    Returns:
        tuple: The config, without anything of the training, and the weights
        for it.

    Raises:
        InputError: If the model is no classifier, or has a type that
            mmpretrain cannot express, or if there is neither a test nor a
            validation pipeline.
    """
    trained = unmarked(cfg.model)
    model, weights = _plain_model(trained, state_dict)
    test_data = _plain_test_data(cfg, classes)
    preprocessor = (
        trained.get('data_preprocessor') or cfg.get('data_preprocessor')
        or {})
    config = dict(
        default_scope='mmpretrain',
        model=model,
        data_preprocessor=preprocessor,
        test_dataloader={**target_loader(cfg), 'dataset': test_data},
        test_cfg=cfg.get('test_cfg') or {},
        test_evaluator=_plain_evaluator(
            cfg.get('test_evaluator') or cfg.get('val_evaluator'), test_data))
    if 'custom_imports' in cfg:  # types of the user
        config['custom_imports'] = cfg.custom_imports
    _check_plain(config)
    return Config(config).to_dict(), weights


def _plain_model(model: dict, state_dict: Weights) -> tuple[dict, Weights]:
    with MODELS.switch_scope_and_registry(None) as models:
        kind = models.get(model['type'])
    if kind is None or not issubclass(kind, ImageClassifier):
        raise InputError('`model` should be an ImageClassifier, or a '
                         f"classifier of mmgh, but is a {model['type']}.")
    plain = dict(type='ImageClassifier')
    # UDA classifiers have another preprocessor around that of the config.
    weights = {
        name.replace('data_preprocessor.preprocessor.',
                     'data_preprocessor.'): value
        for name, value in state_dict.items()
        if name.startswith('data_preprocessor.')
    }
    for part in _PARTS:
        if model.get(part) is not None:
            plain[part], translated = _translate(
                without_initialisation(model[part]),
                _within(state_dict, part))
            weights.update(_under(part, translated))
    return plain, weights


def _translate(part: Any, weights: Weights) -> tuple[Any, Weights]:
    if isinstance(part, (list, tuple)):
        configs, translated = [], {}
        for i, item in enumerate(part):
            config, item_weights = _translate(item, _within(weights, str(i)))
            configs.append(config)
            translated.update(_under(str(i), item_weights))
        return configs, translated
    if _is_own(part['type']):
        translation = TRANSLATIONS.get(part['type'].split('.')[-1])
        if translation is not None:
            return translation(part, weights)
    return part, weights


def _within(weights: Weights, name: str) -> Weights:
    start = f'{name}.'
    return {
        key[len(start):]: value
        for key, value in weights.items() if key.startswith(start)
    }


def _under(name: str, weights: Weights) -> Weights:
    return {f'{name}.{key}': value for key, value in weights.items()}


def _plain_test_data(cfg: Config, classes: Sequence[str]) -> dict:
    """Name a data set of mmpretrain; folders of classes in ``data/test``,
    where the images of the original are in memory, or wrapped in types that
    it lacks."""
    dataset = target_test_data(cfg)
    pipeline = file_pipeline(cfg)
    from_files = loads_files(pipeline_of(dataset))
    innermost = innermost_datasets(dataset).values()
    if from_files and not any(_is_own(data.type) for data in innermost):
        return dataset
    plain = dict(type='CustomDataset')
    if from_files and 'pipeline' in dataset:
        plain.update({
            key: dataset[key]
            for key in ('data_root', 'data_prefix', 'ann_file')
            if key in dataset
        })
    else:
        plain['data_root'] = 'data/test'
    return dict(
        plain, metainfo=dict(classes=list(classes)), pipeline=pipeline)


def _plain_evaluator(evaluator: dict | Sequence[dict] | None,
                     test_data: dict) -> list[dict]:
    """Keep the metrics of mmpretrain; none where the data have no labels."""
    if test_data.get('with_label') is False:
        return []
    if isinstance(evaluator, dict):
        evaluator = [evaluator]
    return [
        metric for metric in evaluator or () if not _is_own(metric['type'])
    ] or [dict(type='Accuracy')]


def _is_own(kind: Any) -> bool:
    return str(kind).startswith('mmgh.')


def _check_plain(node: Any) -> None:
    if isinstance(node, dict):
        node = list(node.values())
    if isinstance(node, (list, tuple)):
        for item in node:
            _check_plain(item)
    elif isinstance(node, str) and (_is_own(node) or node == 'mmgh'):
        raise InputError(
            'The classifier should only have types that mmpretrain can '
            f'express, but has {node}; ONNX can express it.')
