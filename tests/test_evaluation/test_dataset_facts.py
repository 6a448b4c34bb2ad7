"""Only what is certain about a data set is said of it."""
from __future__ import annotations

import pytest
from mmengine.dataset import ClassBalancedDataset, ConcatDataset, RepeatDataset
from mmpretrain.datasets import CustomDataset, PackInputs
from torch.utils.data import Subset

from mmgh.datasets import Digits, DigitsM, DomainConcatDataset
from mmgh.evaluation.dataset_facts import has_no_source, has_no_target_labels
from ..test_datasets.layouts import write_folders

CLASSES = ['cat', 'dog']
PACK = [dict(type='PackInputs')]


class PackWithDomain(PackInputs):
    """A transform of a user's own."""

    def transform(self, results):
        packed = super().transform(results)
        packed['data_samples'].set_metainfo(dict(domain='source'))
        return packed


class MarkedDigits(Digits):
    """A data set of a user's own."""

    def __getitem__(self, index):
        item = super().__getitem__(index)
        item['data_samples'].set_metainfo(dict(domain='source'))
        return item


class MarkedRepetition(RepeatDataset):
    """A wrapper of a user's own."""

    def __getitem__(self, index):
        item = super().__getitem__(index)
        item['data_samples'].set_metainfo(dict(domain='source'))
        return item


def plain():
    return DigitsM(split='test', pipeline=PACK)


def both():
    return DomainConcatDataset(
        source=Digits(split='test', pipeline=PACK), target=plain())


@pytest.mark.parametrize('make', [
    plain,
    lambda: ConcatDataset([plain(), plain()]),
    lambda: RepeatDataset(
        dict(type='ConcatDataset', datasets=[plain(), plain()]), times=2),
    lambda: ClassBalancedDataset(plain(), oversample_thr=0.1),
])
def test_plain_data_have_no_source(make):
    dataset = make()
    assert has_no_source(dataset)
    assert 'domain' not in dataset[0]['data_samples']


@pytest.mark.parametrize('make', [
    both,
    lambda: Subset(both(), [0]),
    lambda: Subset(plain(), [0]),
    lambda: MarkedDigits(split='test', pipeline=PACK),
    lambda: MarkedRepetition(plain(), times=2),
    lambda: ConcatDataset([plain(), MarkedDigits('test', pipeline=PACK)]),
    lambda: DigitsM(split='test', pipeline=[PackWithDomain()]),
    lambda: DigitsM(
        split='test',
        pipeline=[dict(type='PackInputs', meta_keys=['domain'])]),
    lambda: DigitsM(split='test'),
])
def test_what_may_have_a_source_is_not_denied_it(make):
    assert not has_no_source(make())


@pytest.fixture
def folder(tmp_path):
    """``folder(labels)`` has two classes, with or without their labels."""
    write_folders(tmp_path, 2, CLASSES)

    def make(labels: bool, kind: type = CustomDataset) -> CustomDataset:
        return kind(
            data_root=str(tmp_path),
            with_label=labels,
            metainfo=dict(classes=CLASSES),
            pipeline=PACK)

    return make


def test_target_without_labels_is_found(folder):
    labelled, unlabelled = folder(True), folder(False)
    assert 'gt_label' not in unlabelled[0]['data_samples']
    for dataset in (unlabelled, RepeatDataset(unlabelled, times=2),
                    ConcatDataset([labelled, unlabelled]),
                    DomainConcatDataset(labelled, unlabelled),
                    DomainConcatDataset(
                        labelled,
                        dict(
                            type='ConcatDataset',
                            datasets=[labelled, unlabelled]))):
        assert has_no_target_labels(dataset)


class LabelledLater(CustomDataset):
    """A data set of a user's own."""

    def load_data_list(self):
        return [dict(info, gt_label=0) for info in super().load_data_list()]


def test_target_with_labels_is_not_denied_them(folder):
    labelled, unlabelled = folder(True), folder(False)
    for dataset in (labelled, plain(), both(), Subset(unlabelled, [0]),
                    ConcatDataset([labelled, labelled]),
                    DomainConcatDataset(unlabelled, labelled),
                    folder(False, LabelledLater)):
        assert not has_no_target_labels(dataset)
