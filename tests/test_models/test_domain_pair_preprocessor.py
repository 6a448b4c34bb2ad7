"""Validation batches of both domains, of which only one has labels."""
from __future__ import annotations

import pytest
import torch
from mmengine.registry import MODELS
from mmpretrain.structures import DataSample

MEAN = [1., 2., 3.]


def make_preprocessor(**kwargs):
    return MODELS.build(
        dict(
            type='mmgh.DomainPairDataPreprocessor',
            preprocessor=dict(
                type='ClsDataPreprocessor',
                mean=MEAN,
                std=[2.] * 3,
                num_classes=5,
                **kwargs)))


def make_batch(labels: list[int | None]) -> dict:
    samples = [
        DataSample(metainfo=dict(sample_idx=i)) for i in range(len(labels))
    ]
    for sample, label in zip(samples, labels):
        if label is not None:
            sample.set_gt_label(label)
    return dict(
        inputs=torch.arange(48. * len(labels)).view(-1, 3, 4, 4),
        data_samples=samples)


@pytest.mark.parametrize('labels', [
    [3, 1, None], [None, 3, 1], [None, 2, None], [None, None], [4, 2]
])
@pytest.mark.parametrize('to_onehot', [False, True])
def test_images_keep_their_order_and_their_labels(labels, to_onehot):
    batch = make_batch(labels)
    result = make_preprocessor(to_onehot=to_onehot)(batch, training=False)
    torch.testing.assert_close(
        result['inputs'],
        (batch['inputs'] - torch.tensor(MEAN).view(3, 1, 1)) / 2)
    for i, (sample, label) in enumerate(zip(result['data_samples'], labels)):
        assert sample.sample_idx == i
        assert ('gt_label' in sample) == (label is not None)
        if label is not None:
            assert sample.gt_label.tolist() == [label]
            assert ('gt_score' in sample) == to_onehot
            if to_onehot:
                assert sample.gt_score.argmax() == label


def test_labels_go_to_the_device_of_the_model():
    preprocessor = make_preprocessor()
    preprocessor.preprocessor.to('meta')
    samples = preprocessor(make_batch([None, 3]))['data_samples']
    assert samples[1].gt_label.device.type == 'meta'


def test_images_without_samples_pass():
    images = torch.zeros(2, 3, 4, 4)
    assert make_preprocessor()(dict(inputs=images))['data_samples'] is None
