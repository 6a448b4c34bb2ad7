"""What a config says: its data, in wrappers or not, and its model."""
from __future__ import annotations

from typing import Any, Sequence

from mmengine.config import Config, ConfigDict

from mmgh.input_error import InputError


def unmarked(model: dict) -> dict:
    """Return the config of the model that ``TaskMarked`` marks, which has the
    same weights, and predicts the same; any other as it is."""
    kind = model.get('type')
    name = kind.split('.')[-1] if isinstance(kind, str) else getattr(
        kind, '__name__', '')
    if name != 'TaskMarked':
        return model
    plain = type(model)(model['model'])
    if model.get('data_preprocessor'):
        plain.setdefault('data_preprocessor', model['data_preprocessor'])
    return plain


def loads_files(pipeline: Sequence[dict]) -> bool:
    """Tell whether a pipeline reads files; if not, the data set gives
    images."""
    return any(map(loads_file, pipeline))


def loads_file(step: dict) -> bool:
    """Tell whether a step of a pipeline reads a file."""
    return str(step['type']).split('.')[-1] == 'LoadImageFromFile'


def innermost_datasets(dataset: dict,
                       name: str = 'dataset') -> dict[str, dict]:
    """Return what wrappers, such as ConcatDataset and RepeatDataset, wrap.

    Args:
        dataset (dict): Config of a data set, with or without wrappers.
        name (str): Of this setting in the config. Defaults to 'dataset'.

    Returns:
        dict[str, dict]: Configs by name, such as ``dataset.datasets.0``.
    """
    if isinstance(dataset.get('dataset'), dict):
        return innermost_datasets(dataset['dataset'], f'{name}.dataset')
    if 'datasets' not in dataset:
        return {name: dataset}
    return {
        key: value
        for i, part in enumerate(dataset['datasets'])
        for key, value in innermost_datasets(part,
                                             f'{name}.datasets.{i}').items()
    }


def pipeline_of(dataset: dict) -> list[dict]:
    """Return the steps of a data set; of the first one within wrappers."""
    first = next(iter(innermost_datasets(dataset).values()))
    return list(first.get('pipeline') or ())


def target_loader(cfg: Config) -> ConfigDict:
    """Return the config of the loader of the test data; of the validation
    data, where there are no test data.

    Raises:
        InputError: If neither has a pipeline.
    """
    for name in ('test_dataloader', 'val_dataloader'):
        loader = cfg.get(name) or {}
        if pipeline_of(target_of(loader.get('dataset', {}))):
            return loader
    raise InputError(
        '`test_dataloader.dataset` or `val_dataloader.dataset` should have a '
        '`pipeline`, which says how an image enters the network, but the '
        'config has none.')


def target_test_data(cfg: Config) -> ConfigDict:
    """Return the config of the data of :func:`target_loader`; of their
    target, where they have both domains."""
    return target_of(target_loader(cfg).dataset)


def target_of(dataset: dict) -> dict:
    """Return the target, where a data set has both domains."""
    return dataset.get('target', dataset)


def without_initialisation(node: Any) -> Any:
    """Leave out how weights begin, where they come from a checkpoint."""
    if isinstance(node, dict):
        return {
            key: without_initialisation(value)
            for key, value in node.items()
            # The last two are of backbones of timm.
            if key not in ('init_cfg', 'pretrained', 'checkpoint_path')
        }
    if isinstance(node, (list, tuple)):
        return type(node)(without_initialisation(item) for item in node)
    return node
