"""Runs of six iterations, and changed copies of them."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib import image
from mmengine.config import Config

from mmgh.datasets import Digits
from ...test_datasets.layouts import write_folders, write_image

CONFIGS = Path(__file__).parents[3] / 'configs'
DIGITS = Digits.METAINFO['classes']


def config(folder: str, name: str) -> Path:
    return CONFIGS / folder / f'{name}_lenet_1xb32-1k_digits-digits2digitsm.py'


@pytest.fixture(scope='session')
def harmonized(train, tmp_path_factory):
    """Work directory of DANN with GH++."""
    folder = tmp_path_factory.mktemp('harmonized', numbered=False)
    work_dir = folder / 'dann-ghpp'
    train(config('dann', 'dann-ghpp'), work_dir)
    return work_dir


@pytest.fixture(scope='session')
def source_only(train, tmp_path_factory):
    """Work directory of a run that has one domain, and no angles."""
    folder = tmp_path_factory.mktemp('source', numbered=False)
    work_dir = folder / 'source-only'
    train(config('source_only', 'source-only'), work_dir)
    return work_dir


@pytest.fixture
def changed(tmp_path):
    """``changed(work_dir, name, change)`` copies the last checkpoint, after
    `change` had its content and config in hand."""

    def copy(work_dir: Path, name: str, change) -> Path:
        content = torch.load(work_dir / 'iter_6.pth', map_location='cpu')
        cfg = Config.fromstring(content['meta']['cfg'], '.py')
        change(content, cfg)
        content['meta']['cfg'] = cfg.pretty_text
        path = tmp_path / f'{name}.pth'
        torch.save(content, path)
        return path

    return copy


@pytest.fixture
def without_labels(harmonized, changed, tmp_path):
    """A checkpoint whose target test data, 12 images, have no labels."""
    write_folders(tmp_path / 'source', 3, DIGITS)
    for i in range(12):
        write_image(tmp_path / f'target/{i}.png', i)
    pipeline = [
        dict(type='LoadImageFromFile'),
        dict(type='Resize', scale=(28, 28)),
        dict(type='PackInputs')
    ]

    def change(content: dict, cfg: Config) -> None:
        cfg.train_dataloader.dataset.source = dict(
            type='CustomDataset', data_root=str(tmp_path / 'source'))
        cfg.test_dataloader.dataset = dict(
            type='CustomDataset',
            data_root=str(tmp_path / 'target'),
            with_label=False,
            pipeline=pipeline)

    return changed(harmonized, 'without_labels', change)


@pytest.fixture
def diverged(harmonized, changed):
    """A checkpoint with NaN in its weights."""

    def change(content: dict, cfg: Config) -> None:
        for name, value in content['state_dict'].items():
            if name.startswith('backbone') and value.is_floating_point():
                value.fill_(float('nan'))

    return changed(harmonized, 'diverged', change)


def assert_picture(path: Path) -> None:
    """A PNG that shows something."""
    picture = image.imread(path)[..., :3]
    assert picture.shape[0] > 100 and np.std(picture) > 0.01


WRONG_PATHS = [
    ('nowhere', 'nowhere should be a work directory or a checkpoint, but does '
     'not exist'),
    ('empty', 'empty should be the work directory .* no `last_checkpoint`'),
    ('broken.pth', 'broken.pth should be a checkpoint of MMEngine'),
]


@pytest.fixture(params=WRONG_PATHS, ids=[name for name, _ in WRONG_PATHS])
def wrong_run(request, tmp_path):
    """A path that is no run, and what is said of it."""
    name, message = request.param
    (tmp_path / 'empty').mkdir()
    (tmp_path / 'broken.pth').write_text('text')
    return tmp_path / name, message
