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
    return any(
        str(step['type']).split('.')[-1] == 'LoadImageFromFile'
        for step in pipeline)


def target_test_data(cfg: Config) -> ConfigDict:
    """Config of the test data; of their target, where they have both domains.

    Raises:
        ValueError: If they have no pipeline.
    """
    loader = cfg.get('test_dataloader') or {}
    dataset = loader.get('dataset', {})
    dataset = dataset.get('target', dataset)
    if not dataset.get('pipeline'):
        raise ValueError(
            '`test_dataloader.dataset` should have a `pipeline`, which says '
            'how an image enters the network, but the config has none.')
    return dataset


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
    pipeline = deepcopy(list(dataset.pipeline))
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
        ValueError: If it does not give images of one size.
    """
    first, second = _try(pipeline)
    if first.shape != second.shape:
        raise ValueError(
            '`test_dataloader.dataset.pipeline` should give images of one '
            f'size, but gives shapes {tuple(first.shape)} and '
            f'{tuple(second.shape)}.')
    if len(first) == 1:
        order = 'gray'
    else:
        order = 'RGB' if first[0].sum() > first[-1].sum() else 'BGR'
    return ImageFormat(tuple(first.shape), order)


def _try(pipeline: Sequence[dict]) -> list[Tensor]:
    """What it makes of red images of different sizes."""
    compose = Compose(pipeline)
    images = []
    with tempfile.TemporaryDirectory() as folder:
        for height, width in _PROBES:
            path = Path(folder) / f'{height}.png'
            red = np.zeros((height, width, 3), np.uint8)
            red[..., 2] = 255  # files are written from BGR
            mmcv.imwrite(red, str(path))
            images.append(compose(dict(img_path=str(path)))['inputs'])
    return images
