"""The test pipeline of a config, for image files, and what it gives."""
from __future__ import annotations

import tempfile
from copy import deepcopy
from pathlib import Path
from typing import NamedTuple, Sequence

import mmcv
import numpy as np
from mmengine.config import Config, ConfigDict
from mmengine.dataset import Compose
from mmengine.registry import DATASETS
from torch import Tensor

# Height and width of the images that a pipeline is tried on.
_PROBES = ((320, 480), (400, 360))


class ImageFormat(NamedTuple):
    """What a pipeline makes of any image file."""

    shape: tuple[int, int, int]
    """Channels, height, width."""
    order: str
    """Of the channels: ``'RGB'``, ``'BGR'``, or ``'gray'`` if it is one."""


def loads_files(pipeline: Sequence[dict]) -> bool:
    """Whether a pipeline reads files; otherwise the data set gives images."""
    return any(map(_loads_file, pipeline))


def _loads_file(step: dict) -> bool:
    return str(step['type']).split('.')[-1] == 'LoadImageFromFile'


def innermost_datasets(dataset: dict,
                       name: str = 'dataset') -> dict[str, dict]:
    """What wrappers, such as ConcatDataset and RepeatDataset, wrap.

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
    """Steps of a data set; of the first one within wrappers."""
    first = next(iter(innermost_datasets(dataset).values()))
    return list(first.get('pipeline') or ())


def target_loader(cfg: Config) -> ConfigDict:
    """Config of the loader of the test data; of the validation data, where
    there are no test data.

    Raises:
        ValueError: If neither has a pipeline.
    """
    for name in ('test_dataloader', 'val_dataloader'):
        loader = cfg.get(name) or {}
        if pipeline_of(target_of(loader.get('dataset', {}))):
            return loader
    raise ValueError(
        '`test_dataloader.dataset` or `val_dataloader.dataset` should have a '
        '`pipeline`, which says how an image enters the network, but the '
        'config has none.')


def target_test_data(cfg: Config) -> ConfigDict:
    """Config of the data of :func:`target_loader`; of their target, where
    they have both domains."""
    return target_of(target_loader(cfg).dataset)


def target_of(dataset: dict) -> dict:
    """The target, where a data set has both domains."""
    return dataset.get('target', dataset)


def file_pipeline(cfg: Config) -> list[dict]:
    """The test pipeline, for image files.

    A data set that holds its images in memory has no step that reads them.
    mmpretrain's convention is that such images are RGB, while files are read
    as BGR. Where nothing else gives the images one size, they get the size of
    those of the data set, which is built to find out.

    Raises:
        ValueError: If there is no pipeline.
    """
    dataset = target_test_data(cfg)
    pipeline = deepcopy(pipeline_of(dataset))
    if loads_files(pipeline):
        return pipeline
    pipeline = [
        dict(type='LoadImageFromFile'),
        dict(type='NumpyToPIL', to_rgb=True),
        dict(type='PILToNumpy'), *pipeline
    ]
    if len({tuple(image.shape) for image in _try(pipeline)}) > 1:
        height, width = DATASETS.build(dataset)[0]['inputs'].shape[-2:]
        pipeline.insert(3, dict(type='Resize', scale=(width, height)))
    return pipeline


def image_format(pipeline: Sequence[dict]) -> ImageFormat:
    """Try a pipeline on image files.

    Raises:
        ValueError: If it fails, or does not give images of one size.
    """
    first, second = _try(pipeline)
    if first.shape != second.shape:
        raise ValueError(
            'The test pipeline should give images of one size, but gives '
            f'shapes {tuple(first.shape)} and {tuple(second.shape)}.')
    if len(first) == 1:
        order = 'gray'
    else:
        order = 'RGB' if first[0].sum() > first[-1].sum() else 'BGR'
    return ImageFormat(tuple(first.shape), order)


def split_pipeline(pipeline: Sequence[dict]) -> tuple[Compose, Compose]:
    """The steps until a file is read, and those after that."""
    after = [_loads_file(step) for step in pipeline].index(True) + 1
    return Compose(pipeline[:after]), Compose(pipeline[after:])


def input_of(transform: Compose, image: dict, name: str | Path) -> Tensor:
    """What the steps after reading give, shape ``(C, H, W)``.

    Args:
        transform (Compose): The steps.
        image (dict): As the steps before them give it.
        name (str | Path): Of the image in the message.

    Raises:
        ValueError: If a step fails.
    """
    try:
        return transform(image)['inputs']
    except Exception as error:  # steps name no common type
        raise ValueError(
            'The test pipeline should take images of any size and give '
            f'`inputs`, but with {name} it ends in '
            f'{type(error).__name__}: {error}') from error


def _try(pipeline: Sequence[dict]) -> list[Tensor]:
    """What it makes of red images of different sizes."""
    read, transform = split_pipeline(pipeline)
    images = []
    with tempfile.TemporaryDirectory() as folder:
        for height, width in _PROBES:
            path = Path(folder) / f'{height}.png'
            red = np.zeros((height, width, 3), np.uint8)
            red[..., 2] = 255  # files are written from BGR
            mmcv.imwrite(red, str(path))
            images.append(
                input_of(transform, read(dict(img_path=str(path))),
                         f'an image of {width} x {height} pixels'))
    return images
