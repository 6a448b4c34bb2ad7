"""Validation batches of both domains, of which only one has labels."""
from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from mmengine.registry import MODELS
from mmpretrain.engine.hooks import SwitchRecipeHook
from mmpretrain.engine.hooks.precise_bn_hook import update_bn_stats
from mmpretrain.models import RandomBatchAugment
from mmpretrain.structures import DataSample
from torch import nn

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


class Network(nn.Module):
    """What mmpretrain's hook needs of a model: a batch norm, and a way in."""

    def __init__(self) -> None:
        super().__init__()
        self.data_preprocessor = make_preprocessor()
        self.norm = nn.BatchNorm2d(3)

    def forward(self, inputs, data_samples):
        return self.norm(inputs)


class Loader(list):
    batch_size = 2


def pair_of(*sizes: int, pixels: int = 4) -> dict:
    return {
        domain: dict(inputs=torch.rand(size, 3, pixels, pixels))
        for domain, size in zip(('source', 'target'), sizes)
    }


def test_statistics_of_batch_norm_are_of_both_domains():
    """By mmpretrain's PreciseBNHook, which runs it on training batches."""
    batches, model = [pair_of(2, 3), pair_of(4, 2)], Network()
    update_bn_stats(model, Loader(batches), logger='silent')
    images = [
        (torch.cat([b['source']['inputs'], b['target']['inputs']]) -
         torch.tensor(MEAN).view(3, 1, 1)) / 2 for b in batches
    ]
    means = torch.stack([x.mean(dim=(0, 2, 3)) for x in images])
    torch.testing.assert_close(model.norm.running_mean, means.mean(dim=0))


def test_domains_of_different_sizes_are_told_apart_out_of_training():
    pair = {**pair_of(2, 2), 'target': pair_of(2, 2, pixels=5)['target']}
    with pytest.raises(ValueError, match=r'one size, .*\(3, 4, 4\) and'):
        make_preprocessor()(pair, training=False)


def test_hooks_switch_what_mixes_the_source():
    preprocessor = make_preprocessor()
    model = nn.Module()
    model.data_preprocessor = preprocessor
    mix = RandomBatchAugment(dict(type='Mixup', alpha=1.))
    SwitchRecipeHook._switch_batch_augments(
        SimpleNamespace(model=model), mix)
    assert preprocessor.preprocessor.batch_augments is mix
    assert preprocessor.batch_augments is mix
