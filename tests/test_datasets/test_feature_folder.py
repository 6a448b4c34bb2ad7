"""Frozen features in place of images."""
from __future__ import annotations

import numpy as np
import pytest
import torch
from mmengine.registry import DATASETS

from mmgh.datasets import DomainPairDataset, FeatureFolder, LoadFeatures
from mmgh.feature_files import read_domain, write_domain
from .layouts import CLASSES, write_features

VIEWS = 3


@pytest.fixture
def folder(tmp_path):
    write_features(tmp_path, 'art', 4, views=VIEWS)
    return tmp_path


def pipeline(view=None):
    return [
        dict(type='mmgh.LoadFeatures', view=view),
        dict(type='PackInputs', input_key='features')
    ]


def build(folder, view=None, **options) -> FeatureFolder:
    return DATASETS.build(
        dict(
            type='mmgh.FeatureFolder',
            data_root=str(folder),
            domain='art',
            pipeline=pipeline(view),
            **options))


@pytest.mark.parametrize('view', range(VIEWS))
def test_a_view_is_that_of_the_file(folder, view):
    values = np.load(folder / 'art.npy')
    dataset = build(folder, view)
    assert len(dataset) == values.shape[1]
    for i in range(len(dataset)):
        item = dataset[i]
        assert item['inputs'].dtype == torch.float32
        assert item['inputs'].numpy().tolist() == values[view, i].tolist()
        assert item['data_samples'].img_path == (
            read_domain(folder, 'art').files[i])


def test_random_views_are_all_views(folder):
    np.random.seed(0)
    values, dataset = np.load(folder / 'art.npy'), build(folder)
    seen = [dataset[5]['inputs'].numpy() for _ in range(40)]
    found = {
        view
        for item in seen for view in range(VIEWS)
        if np.array_equal(item, values[view, 5])
    }
    assert found == set(range(VIEWS))
    np.random.seed(0)
    again = [dataset[5]['inputs'].numpy() for _ in range(40)]
    assert np.array_equal(seen, again)


@pytest.mark.parametrize('keep', [2, CLASSES[:2], list(CLASSES[1::-1])])
def test_kept_classes_keep_their_labels_and_names(folder, keep):
    dataset = build(folder, keep_classes=keep)
    assert dataset.get_gt_labels().tolist() == [0] * 4 + [1] * 4
    assert dataset.metainfo['classes'] == CLASSES
    DomainPairDataset(build(folder), dataset)  # of the same classes


def test_items_of_kept_classes_are_their_own(folder):
    values = np.load(folder / 'art.npy')
    item = build(folder, view=0, keep_classes=[CLASSES[2]])[1]
    assert item['inputs'].numpy().tolist() == values[0, 9].tolist()
    assert item['data_samples'].gt_label.tolist() == [2]


def test_unknown_class_is_refused(folder):
    with pytest.raises(ValueError, match=r"`keep_classes`.* got \['cat'\]"):
        build(folder, keep_classes=['mug', 'cat'])


def test_negative_view_is_refused():
    with pytest.raises(ValueError, match='`view`.*whole number.*got -1'):
        LoadFeatures(-1)


def test_missing_view_is_refused(folder):
    message = r'`view` .* in \[0, 3\), since .* has 3 views, but got 3'
    with pytest.raises(ValueError, match=message):
        build(folder, VIEWS)[0]


def test_unlabelled_domain_serves_as_target(folder):
    found = read_domain(folder, 'art')
    write_domain(folder, 'art', found._replace(classes=None, labels=None))
    target = build(folder)
    assert target.with_label is False and 'classes' not in target.metainfo
    assert 'gt_label' not in target[0]['data_samples']
    assert 'inputs' in DomainPairDataset(target, target)[1, 2]['target']


def test_features_of_two_networks_are_no_pair(folder):
    source = build(folder)
    found = read_domain(folder, 'art')
    write_domain(folder, 'art', found._replace(network='another'))
    with pytest.raises(ValueError, match='one network, but got .*another'):
        DomainPairDataset(source, build(folder))
