"""Bases that validate on both domains."""
from __future__ import annotations

from pathlib import Path

import pytest
from mmengine.config import Config

FOLDER = Path(__file__).parents[2] / 'configs/_base_/evaluation'
BASES = [path for path in sorted(FOLDER.glob('*.py'))
         if path.stem != 'both_domains']
MNIST_TEST_IMAGES = 10000


def images_of(dataset: dict) -> tuple[str, str, set[int] | None]:
    """Which file they are from, and which of them; None for all."""
    count = dataset.get('indices')
    if count is None:
        return dataset.type, dataset.split, None
    everything = range(MNIST_TEST_IMAGES)
    return dataset.type, dataset.split, set(
        everything[:count] if count > 0 else everything[count:])


def overlap(first: dict, second: dict) -> bool:
    *file, images = images_of(first)
    *other_file, other_images = images_of(second)
    return file == other_file and (images is None or other_images is None
                                   or bool(images & other_images))


@pytest.mark.parametrize('path', BASES, ids=lambda path: path.stem)
def test_source_images_are_held_out_and_the_target_is_tested(path):
    config = Config.fromfile(path)
    validated = config.val_dataloader.dataset
    trained = config.train_dataloader.dataset
    assert validated.type == 'mmgh.DomainConcatDataset'
    assert not overlap(validated.source, trained.source)
    assert not overlap(validated.source, trained.target)
    assert not overlap(validated.target, trained.target)
    assert validated.target == config.test_dataloader.dataset
    assert validated.source.pipeline == validated.target.pipeline


@pytest.mark.parametrize('path', BASES, ids=lambda path: path.stem)
def test_target_labels_are_named_oracle(path):
    """In the logs all that needs them is, and nothing else."""
    config = Config.fromfile(path)
    kinds = [(metric.type, metric.get('domain'))
             for metric in config.val_evaluator]
    assert kinds == [('mmgh.UnsupervisedMetric', None),
                     ('mmgh.DomainMetric', 'source'),
                     ('mmgh.DomainMetric', 'target')]
    assert not any('prefix' in metric for metric in config.val_evaluator)
