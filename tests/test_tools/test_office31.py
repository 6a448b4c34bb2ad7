"""The Office-31 config on a miniature of the published folder tree."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.runner import Runner
from PIL import Image

CONFIG = (
    Path(__file__).parents[2] / 'configs/cdan/'
    'cdan-e-ghpp_resnet50_1xb36-8k_office31-amazon2webcam.py')
CLASSES = [f'class_{i:02}' for i in range(31)]


def make_domain(root: Path, domain: str, classes: list[str]) -> None:
    random = np.random.default_rng(len(domain))
    for name in classes:
        folder = root / domain / 'images' / name
        folder.mkdir(parents=True)
        pixels = random.integers(0, 256, (40, 40, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / 'frame_0001.jpg')


def small_config(root: Path) -> Config:
    """The config, two iterations on small images, nothing downloaded."""
    config = Config.fromfile(CONFIG)
    config.merge_from_dict({
        'work_dir': str(root / 'work'),
        'train_cfg.max_iters': 2,
        'train_cfg.val_interval': 2,
        'train_dataloader.batch_size': 2,
        'experiment_name': 'office31',
    })
    config.model.backbone.init_cfg = None
    loader = config.train_dataloader
    datasets = [
        loader.dataset.source, loader.dataset.target,
        config.val_dataloader.dataset, config.test_dataloader.dataset
    ]
    for dataset in datasets:
        dataset.data_root = str(root)
        for transform in dataset.pipeline:
            if transform.type == 'Resize':
                transform.scale = (40, 40)
            elif transform.type == 'RandomResizedCrop':
                transform.scale = 32
            elif transform.type in ('CenterCrop', 'RandomCrop'):
                transform.crop_size = 32
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        config[name].num_workers = 0
        config[name].persistent_workers = False
    return config


def test_trains_and_evaluates(tmp_path):
    for domain in ('amazon', 'webcam'):
        make_domain(tmp_path, domain, CLASSES)
    runner = Runner.from_cfg(small_config(tmp_path))
    runner.train()
    hub = runner.message_hub
    assert len(hub.get_scalar('train/angle').data[0]) == 2
    assert hub.get_scalar('val/accuracy/top1').current() >= 0
    # 256 features and 31 classes are more than 4096 products.
    assert runner.model.uda_head.multilinear_map.randomized
    rates = {g['lr'] for g in runner.optim_wrapper.param_groups}
    decay = (1 + 0.001)**-0.75  # the rate of the second iteration
    assert sorted(rates) == pytest.approx([0.001 * decay, 0.01 * decay])


def test_domains_with_different_classes_are_refused(tmp_path):
    make_domain(tmp_path, 'amazon', CLASSES)
    make_domain(tmp_path, 'webcam', CLASSES[1:] + ['class_99'])
    with pytest.raises(ValueError, match=r"\['class_00'\].*\['class_99'\]"):
        Runner.from_cfg(small_config(tmp_path)).train()


def test_missing_domain_is_refused(tmp_path):
    make_domain(tmp_path, 'amazon', CLASSES)
    with pytest.raises(ValueError, match='The target domain.*webcam'):
        Runner.from_cfg(small_config(tmp_path)).train()
