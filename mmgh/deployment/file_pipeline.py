"""The test pipeline of a config, run on image files."""
from __future__ import annotations

import tempfile
from copy import deepcopy
from pathlib import Path
from typing import NamedTuple, Sequence

import mmcv
import numpy as np
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.registry import DATASETS
from torch import Tensor

from mmgh.config_data import (loads_file, loads_files, pipeline_of,
                              target_test_data)
from mmgh.input_error import InputError

# Height and width of the images that a pipeline is tried on.
_PROBES = ((320, 480), (400, 360))


class ImageFormat(NamedTuple):
    """What a pipeline makes of any image file."""

    shape: tuple[int, int, int]
    """Channels, height, width."""
    order: str
    """Of the channels: ``'RGB'``, ``'BGR'``, or ``'gray'`` if it is one."""


def file_pipeline(cfg: Config) -> list[dict]:
    """Return the test pipeline, for image files.

    A data set that holds its images in memory has no step that reads them.
    mmpretrain's convention is that such images are RGB, while files are read
    as BGR. Where nothing else gives the images one size, they get the size of
    those of the data set, which is built to find out.

    Raises:
        InputError: If there is no pipeline.
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
        InputError: If it fails, or does not give images of one size.
    """
    first, second = _try(pipeline)
    if first.shape != second.shape:
        raise InputError(
            'The test pipeline should give images of one size, but gives '
            f'shapes {tuple(first.shape)} and {tuple(second.shape)}.')
    if len(first) == 1:
        order = 'gray'
    else:
        order = 'RGB' if first[0].sum() > first[-1].sum() else 'BGR'
    return ImageFormat(tuple(first.shape), order)


def split_pipeline(pipeline: Sequence[dict]) -> tuple[Compose, Compose]:
    """Split into the steps until a file is read, and those after that."""
    after = [loads_file(step) for step in pipeline].index(True) + 1
    return Compose(pipeline[:after]), Compose(pipeline[after:])


def input_of(transform: Compose, image: dict, name: str | Path) -> Tensor:
    """Return what the steps after reading give, shape ``(C, H, W)``.

    Args:
        transform (Compose): The steps.
        image (dict): As the steps before them give it.
        name (str | Path): Of the image in the message.

    Raises:
        InputError: If a step fails.
    """
    try:
        return transform(image)['inputs']
    except Exception as error:  # steps name no common type
        raise InputError(
            'The test pipeline should take images of any size and give '
            f'`inputs`, but with {name} it ends in '
            f'{type(error).__name__}: {error}') from error


def _try(pipeline: Sequence[dict]) -> list[Tensor]:
    """Run a pipeline on red images of different sizes."""
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
