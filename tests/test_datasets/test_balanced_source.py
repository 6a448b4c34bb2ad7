"""The sampler's option to draw all classes of the source equally often."""
from __future__ import annotations

from collections import Counter
from itertools import islice

import numpy as np
import pytest
from mmengine.dataset import ConcatDataset
from mmpretrain.datasets import BaseDataset

from mmgh.datasets import DomainPairDataset, DomainPairSampler

# Of the labels 0, 1 and 3; none of 2.
LABELS = [0] * 12 + [3] * 2 + [1] * 5


class Labelled(BaseDataset):

    def __init__(self, labels, **kwargs):
        self.labels = labels
        super().__init__('', **kwargs)

    def load_data_list(self):
        return [
            dict(img_path=f'{i}.jpg') if label is None else dict(
                img_path=f'{i}.jpg', gt_label=label)
            for i, label in enumerate(self.labels)
        ]


def make_pair(labels=LABELS, **kwargs) -> DomainPairDataset:
    return DomainPairDataset(
        Labelled(labels, **kwargs), Labelled([None] * 7))


def draw(count: int, dataset=None, **kwargs) -> list[tuple[int, int]]:
    options = dict(infinite=True, seed=1, balance_source=True)
    sampler = DomainPairSampler(dataset or make_pair(), **{
        **options,
        **kwargs
    })
    return list(islice(sampler, count))


def test_each_class_is_drawn_once_before_any_is_drawn_again():
    labels = [LABELS[i] for i, _ in draw(300)]
    rounds = [tuple(labels[i:i + 3]) for i in range(0, 300, 3)]
    assert {tuple(sorted(r)) for r in rounds} == {(0, 1, 3)}
    assert len(set(rounds)) == 6  # in every order
    without = Counter(LABELS[i] for i, _ in draw(300, balance_source=False))
    assert without[0] > 150


@pytest.mark.parametrize('label', [0, 1, 3])
def test_images_of_a_class_are_drawn_without_replacement(label):
    images = [i for i, label_ in enumerate(LABELS) if label_ == label]
    drawn = [i for i, _ in draw(300) if LABELS[i] == label]
    rounds = [
        drawn[i:i + len(images)]
        for i in range(0, 100 - len(images), len(images))
    ]
    assert all(sorted(r) == images for r in rounds)
    assert any(r != rounds[0] for r in rounds)


def test_stream_repeats_by_seed_and_differs_by_epoch():
    assert draw(50) == draw(50) != draw(50, seed=2)
    sampler = DomainPairSampler(make_pair(), seed=1, balance_source=True)
    first = list(sampler)
    assert first == list(sampler) and len(first) == len(sampler) == 19
    sampler.set_epoch(1)
    assert first != list(sampler)


def test_target_is_drawn_as_ever():
    without = draw(50, balance_source=False)
    assert [j for _, j in draw(50)] == [j for _, j in without]


def test_without_shuffling_the_classes_take_turns():
    drawn = draw(7, shuffle=False)
    assert [i for i, _ in drawn] == [0, 14, 12, 1, 15, 13, 2]


def test_ranks_share_out_one_stream(monkeypatch):
    whole, parts = draw(20), []
    for rank in range(2):
        monkeypatch.setattr('mmgh.datasets.domain_pair_sampler.get_dist_info',
                            lambda rank=rank: (rank, 2))
        parts.append(draw(10))
    assert [pair for both in zip(*parts) for pair in both] == whole


def test_concatenated_sources_are_balanced_as_one():
    source = ConcatDataset([Labelled([0] * 8), Labelled([1] * 2)])
    dataset = DomainPairDataset(source, Labelled([None]))
    assert Counter(i < 8 for i, _ in draw(40, dataset)) == {
        True: 20,
        False: 20
    }


def test_classes_without_images_are_named(monkeypatch):
    warnings = []
    monkeypatch.setattr('mmgh.datasets.domain_pair_sampler.print_log',
                        lambda message, **_: warnings.append(message))
    draw(1, make_pair(classes=['a', 'b', 'c', 'd']))
    assert len(warnings) == 1 and "['c']" in warnings[0]


@pytest.mark.parametrize('label', [None, [0, 1], np.array([0])])
def test_source_without_one_label_each_is_refused(label):
    dataset = make_pair(LABELS[:3] + [label])
    assert draw(1, dataset, balance_source=False)
    with pytest.raises(ValueError, match='`balance_source`.*one label'):
        draw(1, dataset)
