"""The paired data set and its sampler."""
from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
from mmengine.dataset import default_collate, pseudo_collate
from mmpretrain.datasets import BaseDataset
from mmpretrain.registry import DATASETS
from torch.utils.data import DataLoader

from mmgh.datasets import DomainPairDataset, DomainPairSampler
from mmgh.datasets.domain_pair_dataset import DomainPair
from mmgh.input_error import InputError


@DATASETS.register_module()
class ConstantImages(BaseDataset):
    """``size`` images, the i-th of value i, with label ``i % 3``."""

    def __init__(self, size, classes=('a', 'b', 'c'), **kwargs):
        self.size = size
        super().__init__(
            '', classes=classes, pipeline=[dict(type='PackInputs')], **kwargs)

    def load_data_list(self):
        return [
            dict(img=np.full((4, 4, 3), i, np.uint8), gt_label=i % 3)
            for i in range(self.size)
        ]


def make_pair(source: int, target: int, **kwargs) -> DomainPairDataset:
    return DomainPairDataset(
        dict(type='ConstantImages', size=source),
        dict(type='ConstantImages', size=target, **kwargs))


def test_item_is_the_pair_that_the_index_names():
    item = make_pair(5, 7)[3, 6]
    assert item['source']['inputs'].unique().tolist() == [3]
    assert item['source']['data_samples'].gt_label.tolist() == [0]
    assert item['target']['inputs'].unique().tolist() == [6]


def test_target_hands_out_nothing_but_images():
    dataset = make_pair(5, 7)
    assert 'gt_label' in dataset.target[2]['data_samples']
    assert list(dataset[0, 2]['target']) == ['inputs']


@pytest.mark.parametrize('collate', [default_collate, pseudo_collate])
@pytest.mark.parametrize('num_workers', [0, 1])
def test_batch_is_still_a_pair(collate, num_workers):
    dataset = make_pair(5, 7)
    loader = DataLoader(
        dataset,
        4,
        sampler=DomainPairSampler(dataset, seed=0),
        collate_fn=collate,
        num_workers=num_workers)
    batch = next(iter(loader))
    assert isinstance(batch, DomainPair)
    assert len(batch['source']['data_samples']) == 4
    with pytest.raises(TypeError, match="one domain.*'inputs'.*UDAClassifier"):
        batch['inputs']


@pytest.mark.parametrize('domain', ['source', 'target'])
def test_pipeline_that_does_not_pack_is_refused(domain):
    dataset = make_pair(5, 7)
    getattr(dataset, domain).pipeline.transforms.clear()
    with pytest.raises(InputError, match=f'{domain}.*PackInputs'):
        dataset[0, 0]


def test_plain_sampler_is_refused():
    with pytest.raises(TypeError, match='DomainPairSampler'):
        make_pair(5, 7)[3]


@pytest.mark.parametrize('sizes, domain', [((0, 3), 'source'),
                                           ((3, 0), 'target')])
def test_empty_domain_is_refused(sizes, domain):
    message = f'The {domain} domain.*at least one image'
    with pytest.raises(ValueError, match=message):
        make_pair(*sizes)


def test_missing_folder_is_refused(tmp_path):
    with pytest.raises(ValueError, match='The target domain.*nowhere'):
        DomainPairDataset(
            dict(type='ConstantImages', size=3),
            dict(type='CustomDataset', data_root=str(tmp_path / 'nowhere')))


def test_different_classes_are_named():
    message = r"source alone has \['c'\].*target alone has \['e', 'd'\]"
    with pytest.raises(ValueError, match=message):
        make_pair(3, 3, classes=['b', 'e', 'a', 'd'])


def test_different_order_of_classes_is_refused():
    with pytest.raises(ValueError, match='same order'):
        make_pair(3, 3, classes=['b', 'a', 'c'])


def test_target_needs_no_class_names():
    assert len(make_pair(3, 4, classes=None)) == 4


def draw(sampler, count):
    return list(islice(iter(sampler), count))


@pytest.mark.parametrize('infinite', [True, False])
def test_each_domain_is_drawn_without_replacement(infinite):
    sampler = DomainPairSampler(make_pair(4, 6), infinite=infinite, seed=1)
    source, target = zip(*draw(sampler, 12 if infinite else 6))
    for indices, size in ((source, 4), (target, 6)):
        for start in range(0, len(indices) - size + 1, size):
            assert sorted(indices[start:start + size]) == list(range(size))


def test_infinite_stream_reshuffles_what_runs_out():
    sampler = DomainPairSampler(make_pair(50, 6), infinite=True, seed=1)
    source, _ = zip(*draw(sampler, 100))
    assert source[:50] != source[50:]


def test_finite_epochs_differ_and_repeat_by_seed():
    dataset = make_pair(50, 30)
    sampler = DomainPairSampler(dataset, seed=1)
    first = list(sampler)
    assert first == list(DomainPairSampler(dataset, seed=1))
    assert len(first) == len(sampler) == 50
    sampler.set_epoch(1)
    assert first != list(sampler)


def test_domains_of_one_size_are_shuffled_independently():
    pairs = draw(
        DomainPairSampler(make_pair(100, 100), infinite=True, seed=0), 100)
    assert sum(i == j for i, j in pairs) < 10


def test_without_shuffling_the_order_is_kept():
    sampler = DomainPairSampler(make_pair(2, 3), shuffle=False)
    assert list(sampler) == [(0, 0), (1, 1), (0, 2)]


@pytest.mark.parametrize('infinite', [True, False])
def test_ranks_share_out_one_stream(monkeypatch, infinite):
    dataset = make_pair(5, 8)
    whole = draw(DomainPairSampler(dataset, infinite, seed=3), 8)
    parts = []
    for rank in range(2):
        monkeypatch.setattr('mmgh.datasets.domain_pair_sampler.get_dist_info',
                            lambda rank=rank: (rank, 2))
        sampler = DomainPairSampler(dataset, infinite, seed=3)
        parts.append(draw(sampler, 4))
        assert len(sampler) == 4
    assert [pair for both in zip(*parts) for pair in both] == whole


def test_sampler_refuses_an_unpaired_data_set():
    with pytest.raises(TypeError, match='DomainPairDataset.*ConstantImages'):
        DomainPairSampler(ConstantImages(3))
