"""Validation data of both domains."""
from __future__ import annotations

import pytest
import torch
from mmengine.dataset import default_collate
from torch.utils.data import DataLoader

from mmgh.datasets import DomainConcatDataset
from mmgh.input_error import InputError
from .test_domain_pair import ConstantImages  # noqa: F401


def make_dataset(source: int, target: int, **kwargs) -> DomainConcatDataset:
    return DomainConcatDataset(
        dict(type='ConstantImages', size=source),
        dict(type='ConstantImages', size=target, **kwargs))


def test_source_comes_first_and_all_are_marked():
    loader = DataLoader(
        make_dataset(3, 4), 5, collate_fn=default_collate, num_workers=1)
    batches = list(loader)
    images = torch.cat([batch['inputs'] for batch in batches])
    samples = [s for batch in batches for s in batch['data_samples']]
    assert images[:, 0, 0, 0].tolist() == [0, 1, 2, 0, 1, 2, 3]
    assert [s.domain for s in samples] == ['source'] * 3 + ['target'] * 4
    assert [s.gt_label.item() for s in samples] == [0, 1, 2, 0, 1, 2, 0]
    # Evaluators are told so.
    assert samples[0].to_dict()['domain'] == 'source'


def test_meta_information_is_that_of_the_source():
    assert make_dataset(3, 4).metainfo['classes'] == ('a', 'b', 'c')


@pytest.mark.parametrize('sizes, kwargs, message', [
    ((3, 4), dict(classes=('a', 'c', 'b')), 'same order.*class 1'),
    ((3, 0), {}, 'The target domain.*at least one image'),
    ((0, 3), {}, 'The source domain.*at least one image'),
])
def test_bad_domains_are_refused(sizes, kwargs, message):
    with pytest.raises(ValueError, match=message):
        make_dataset(*sizes, **kwargs)


@pytest.mark.parametrize('index, domain', [(0, 'source'), (3, 'target')])
def test_a_pipeline_that_does_not_pack_is_refused(index, domain):
    dataset = make_dataset(3, 4)
    getattr(dataset, domain).pipeline.transforms.clear()
    with pytest.raises(InputError, match=f'{domain}.*PackInputs'):
        dataset[index]
