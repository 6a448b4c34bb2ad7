"""What every data set promises, wherever its images come from."""
from __future__ import annotations

import copy
import functools
import pickle
from typing import Callable, Iterator

import pytest
import torch
from mmengine.registry import DATASETS as REGISTRY
from mmpretrain.structures import DataSample
from torch import Tensor

from mmgh.datasets import DomainPairDataset
from ..registered_classes import registered
from .every_dataset import DATASETS, Entry

every_dataset = pytest.mark.parametrize('entry', DATASETS, ids=repr)
every_dataset_of_one_domain = pytest.mark.parametrize(
    'entry', [entry for entry in DATASETS if not entry.is_of_two_domains],
    ids=repr)
every_dataset_of_files = pytest.mark.parametrize(
    'entry', [entry for entry in DATASETS if entry.write], ids=repr)


@pytest.fixture(scope='module')
def built(tmp_path_factory) -> Callable:
    """``built(entry)`` is a data set that is read once."""

    @functools.cache
    def build(entry: Entry):
        folder = tmp_path_factory.mktemp(entry.name)
        if entry.write:
            entry.write(folder)
        config = entry.config(folder)
        before = copy.deepcopy(config)
        dataset = REGISTRY.build(config)
        assert config == before  # no config is changed, here as elsewhere
        return dataset

    return build


def parts_of(item) -> Iterator[Tensor | DataSample]:
    """Images and samples of an item, of one domain or of two."""
    for part in item.values():
        if isinstance(part, dict):
            yield from parts_of(part)
        else:
            yield part


def assert_alike(first, second) -> None:
    for one, other in zip(parts_of(first), parts_of(second)):
        if isinstance(one, DataSample):
            one, other = one.gt_label, other.gt_label
        assert torch.equal(one, other)


def test_every_data_set_is_in_the_list():
    listed = {entry.name for entry in DATASETS}
    for kind in registered('DATASETS'):
        assert kind.__name__ in listed, (
            f'Add `Entry({kind.__name__!r}),` to the list `DATASETS` in '
            'tests/test_datasets/every_dataset.py, with its arguments.')


@every_dataset
def test_items_are_images_and_labels_of_named_classes(entry, built):
    dataset = built(entry)
    classes = dataset.metainfo['classes']
    assert len(dataset) > 1 and len(classes) == len(set(classes)) > 1
    images, samples = [], []
    for part in parts_of(dataset[entry.index]):
        (samples if isinstance(part, DataSample) else images).append(part)
    for image in images:
        if entry.is_of_features:
            assert image.dtype == torch.float32 and image.dim() == 1
            continue
        assert image.dtype == torch.uint8 and image.dim() == 3
        assert len(image) in (1, 3) and min(image.shape[1:]) > 8
    for sample in samples:
        label, = sample.gt_label.tolist()
        assert 0 <= label < len(classes) and isinstance(label, int)
    assert images and samples


@every_dataset
def test_another_look_and_a_worker_see_the_same(entry, built):
    dataset = built(entry)
    item = dataset[entry.index]
    assert_alike(dataset[entry.index], item)
    sent = pickle.loads(pickle.dumps(dataset))
    assert len(sent) == len(dataset) and sent.metainfo == dataset.metainfo
    assert_alike(sent[entry.index], item)


@every_dataset
def test_misspelt_option_is_refused(entry, tmp_path):
    config = dict(entry.config(tmp_path), splitt='test')
    with pytest.raises(TypeError, match='splitt'):
        REGISTRY.build(config)


@every_dataset_of_one_domain
def test_serves_as_either_domain_and_hides_labels_of_the_target(
        entry, built):
    dataset = built(entry)
    labels = dataset.get_gt_labels()
    pair = DomainPairDataset(dataset, dataset)
    for i in (0, len(dataset) - 1):
        item = pair[i, 0]
        assert item['source']['data_samples'].gt_label.item() == labels[i]
        assert list(item['target']) == ['inputs']


@every_dataset_of_files
def test_missing_files_are_named(entry, tmp_path):
    with pytest.raises((ValueError, OSError), match=str(tmp_path)):
        REGISTRY.build(entry.config(tmp_path))
