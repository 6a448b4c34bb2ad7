"""BridgeClsHead: a linear classifier minus a bridge."""
from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from mmpretrain.models import LinearClsHead
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample

from mmgh.models import BridgeClsHead


def make_head() -> BridgeClsHead:
    head = BridgeClsHead(num_classes=3, in_channels=6)
    head.init_weights()
    return head


def test_scores_are_those_of_the_linear_layer_minus_the_bridge():
    head = make_head()
    features = torch.randn(5, 6)
    expected = (
        features @ (head.fc.weight - head.bridge.weight).T + head.fc.bias -
        head.bridge.bias)
    torch.testing.assert_close(head((torch.randn(2, 9), features)), expected)


def test_loss_and_prediction_are_of_these_scores():
    head = make_head()
    feats = (torch.randn(5, 6), )
    samples = [DataSample().set_gt_label(i % 3) for i in range(5)]
    labels = torch.tensor([i % 3 for i in range(5)])
    loss = head.loss(feats, samples)['loss']
    torch.testing.assert_close(loss, F.cross_entropy(head(feats), labels))
    scores = torch.stack([s.pred_score for s in head.predict(feats)])
    torch.testing.assert_close(scores, head(feats).softmax(1))


def test_the_bridge_is_initialised_apart_from_the_linear_layer():
    head = make_head()
    assert not torch.allclose(head.bridge.weight, head.fc.weight)
    assert not head.bridge.bias.any() and not head.fc.bias.any()


def test_merged_weights_of_the_head_predict_the_same():
    head, linear = make_head(), LinearClsHead(num_classes=3, in_channels=6)
    linear.load_state_dict(head.merge_bridge(head.state_dict(), prefix=''))
    feats = (torch.randn(50, 6), )
    torch.testing.assert_close(linear(feats), head(feats))


def test_merged_weights_of_a_classifier_predict_the_same():
    config = dict(
        type='ImageClassifier',
        backbone=dict(type='mmgh.DigitsLeNet', channels=(2, 4)),
        head=dict(type='mmgh.BridgeClsHead', in_channels=64, num_classes=3))
    model = MODELS.build(config).eval()
    config['head'] = dict(config['head'], type='LinearClsHead')
    plain = MODELS.build(config).eval()
    state_dict = model.state_dict()
    before = {name: value.clone() for name, value in state_dict.items()}
    plain.load_state_dict(BridgeClsHead.merge_bridge(state_dict))
    images = torch.randn(4, 3, 28, 28)
    torch.testing.assert_close(plain(images), model(images))
    assert all(torch.equal(before[k], v) for k, v in state_dict.items())


def test_weights_without_a_bridge_cannot_be_merged():
    with pytest.raises(KeyError, match='head.bridge.weight'):
        BridgeClsHead.merge_bridge({'head.fc.weight': torch.zeros(3, 6)})
