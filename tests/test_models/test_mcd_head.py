"""MCDHead: the one-step form of MCD."""
from __future__ import annotations

import copy
import math

import pytest
import torch
from mmengine.optim import OptimWrapper
from mmpretrain.models import LinearClsHead
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch.optim import SGD

from mmgh.models import DomainOutput, MCDHead
from mmgh.optim import GHOptimWrapper
from mmgh.task_losses import get_task_losses
from .test_uda_classifier import (PREPROCESSOR, losses_of, make_batch,
                                  model_config)

STACKED = dict(
    type='StackedLinearClsHead',
    in_channels=6,
    num_classes=3,
    mid_channels=[4])


def make_head(iteration=3000, **kwargs) -> MCDHead:
    head = MCDHead(6, 3, **kwargs)
    head.reversal.iteration.fill_(iteration)
    return head


def make_output(first, size: int, labels=None) -> DomainOutput:
    """What the classification head ``first`` says of random features."""
    features = torch.randn(size, 6, requires_grad=True)
    return DomainOutput(features, first((features, )), first, (features, ),
                        labels)


def make_pair(size=8):
    first = LinearClsHead(3, 6)
    torch.nn.init.normal_(first.fc.weight)
    labels = torch.arange(size) % 3
    return make_output(first, size, labels), make_output(first, size)


def softmax(logits) -> list[float]:
    top = max(logits.tolist())
    exponentials = [math.exp(v - top) for v in logits.tolist()]
    return [v / sum(exponentials) for v in exponentials]


def test_losses_equal_a_plain_loop():
    head = make_head(loss_weight=0.7, balance_weight=0.2)
    source, target = make_pair(5)
    losses = head.loss(source, target)

    cross_entropy = 0.
    for features, label in zip(source.features, source.labels):
        cross_entropy -= math.log(softmax(head.classifier(features))[label])
    assert losses['loss_cls2'].item() == pytest.approx(
        cross_entropy / 5, rel=1e-5)

    pairs = [(softmax(target.head.fc(f)), softmax(head.classifier(f)))
             for f in target.features]
    differences = [abs(a - b) for p, q in pairs for a, b in zip(p, q)]
    assert losses['loss_discrepancy'].item() == pytest.approx(
        -0.7 * sum(differences) / 15, rel=1e-5)

    balance = 0.
    for k in (0, 1):
        for c in range(3):
            balance -= math.log(sum(pair[k][c] for pair in pairs) / 5) / 3
    assert losses['loss_balance'].item() == pytest.approx(
        0.2 * balance, rel=1e-4)


def test_mixed_images_count_with_both_labels():
    head = make_head()
    source, target = make_pair(4)
    one_hot = torch.eye(3)
    other = torch.tensor([2, 2, 0, 0])
    mixed = 0.3 * one_hot[source.labels] + 0.7 * one_hot[other]

    def loss(labels):
        return head.loss(source._replace(labels=labels), target)['loss_cls2']

    torch.testing.assert_close(
        loss(mixed), 0.3 * loss(source.labels) + 0.7 * loss(other))


def test_features_bring_the_classifiers_together_which_drift_apart():
    """The step of each goes where it should, checked by taking it."""
    torch.manual_seed(0)
    head = make_head()
    source, target = make_pair()
    loss = head.loss(source, target)['loss_discrepancy']
    loss.backward()
    before = -loss.item()

    def discrepancy_after(step: float, *moved) -> float:
        with torch.no_grad():
            for tensor in moved:
                tensor.sub_(step * tensor.grad)
            first = target.head((target.features, ))
            second = head.classifier(target.features)
            value = head.discrepancy(first, second).item()
            for tensor in moved:
                tensor.add_(step * tensor.grad)
        return value

    assert discrepancy_after(0.1, target.features) < before
    assert discrepancy_after(0.1, *target.head.parameters()) > before
    assert discrepancy_after(0.1, *head.classifier.parameters()) > before
    assert source.features.grad is None


def test_reversal_scales_the_gradient_of_the_features_only():
    grads = []
    for iteration in (100, 3000):
        torch.manual_seed(0)
        head = make_head(iteration)
        source, target = make_pair()
        head.loss(source, target)['loss_discrepancy'].backward()
        grads.append((target.features.grad / math.tanh(iteration / 2000),
                      head.classifier.weight.grad, target.head.fc.weight.grad))
    torch.testing.assert_close(*grads)


def test_equal_classifiers_have_no_discrepancy():
    head = make_head()
    source, target = make_pair()
    head.classifier.load_state_dict(target.head.fc.state_dict())
    assert head.loss(source, target)['loss_discrepancy'] == 0


def test_balance_is_least_for_equally_frequent_classes():
    head = make_head(balance_weight=1.)
    source, _ = make_pair()

    def loss(labels):
        logits = 50 * torch.eye(3)[labels]
        target = DomainOutput(torch.zeros(6, 6), logits)
        return head.classification_losses(source, target)['loss_balance']

    balanced = loss([0, 1, 2, 0, 1, 2])
    assert balanced < loss([0, 0, 0, 0, 1, 2]) < loss([0] * 6) < math.inf


def test_balance_teaches_the_features_and_both_classifiers():
    head = make_head(balance_weight=0.2)
    source, target = make_pair()
    head.loss(source, target)['loss_balance'].backward()
    layers = target.head.fc, head.classifier
    tensors = [target.features, *(layer.weight for layer in layers)]
    frequencies = torch.stack(
        [layer(target.features).softmax(dim=1).mean(dim=0)
         for layer in layers])
    loss = -0.2 * (frequencies + 1e-6).log().mean(dim=1).sum()
    torch.testing.assert_close([tensor.grad for tensor in tensors],
                               list(torch.autograd.grad(loss, tensors)))


def test_second_classifier_may_be_a_head_on_what_enters_the_first():
    head = make_head(classifier=STACKED)
    first = MODELS.build(STACKED)
    feats = torch.randn(5, 6)
    hidden = first.pre_logits((feats, ))
    output = DomainOutput(hidden, first((feats, )), first, (feats, ))
    torch.testing.assert_close(
        head.classify(output), head.classifier((feats, )))


@pytest.mark.parametrize('kwargs, message', [
    (dict(balance_weight=-1), '`balance_weight`.*at least 0.*-1'),
    (dict(num_classes=1), '`num_classes`.*at least 2.*got 1'),
    (dict(reversal=dict(alpha=0)), '`alpha`.*above 0'),
])
def test_bad_options_are_refused(kwargs, message):
    with pytest.raises(ValueError, match=message):
        MCDHead(**{'in_channels': 6, 'num_classes': 3, **kwargs})


def make_model(**kwargs):
    return MODELS.build(
        model_config(uda_head=dict(type='mmgh.MCDHead', **kwargs)))


def test_tasks_are_classification_and_discrepancy():
    model = make_model(balance_weight=0.01)
    losses = losses_of(model, make_batch())
    tasks = get_task_losses(model.parse_losses(losses)[0])
    assert list(tasks) == ['cls', 'alignment']  # task 1 is classification
    assert tasks['alignment'] == losses['loss_discrepancy'] < 0
    torch.testing.assert_close(
        tasks['cls'], losses['loss_cls'] + losses['loss_cls2'] +
        losses['loss_balance'])


def test_labels_are_those_of_the_source(monkeypatch):
    model = make_model()
    seen = []
    monkeypatch.setattr(model.uda_head, 'loss',
                        lambda *outputs: seen.extend(outputs) or {})
    losses_of(model, make_batch())
    source, target = seen
    assert source.labels.tolist() == [0, 1, 2, 0, 1, 2]
    assert target.labels is None


def test_batch_augmentations_give_scores_as_labels():
    soft = dict(type='CrossEntropyLoss', use_soft=True)
    model = MODELS.build(
        model_config(
            train_cfg=dict(augments=dict(type='Mixup', alpha=0.5)),
            data_preprocessor=dict(PREPROCESSOR, num_classes=3),
            head=dict(
                type='LinearClsHead', in_channels=64, num_classes=3,
                loss=soft),
            uda_head=dict(type='mmgh.MCDHead')))
    model.uda_head.classifier.load_state_dict(model.head.fc.state_dict())
    losses = losses_of(model, make_batch())
    torch.testing.assert_close(losses['loss_cls2'], losses['loss_cls'])


@pytest.mark.parametrize('options', [
    None,
    dict(probe='parameters'),
    dict(probe='features'),
    dict(probe='parameters', apply_to='shared'),
])
def test_steps_under_each_wrapper(options):
    model = make_model()
    model.uda_head.reversal.iteration.fill_(1000)
    before = copy.deepcopy(model.state_dict())
    optimizer = SGD(model.parameters(), lr=0.1)
    if options is None:
        wrapper = OptimWrapper(optimizer)
    else:
        wrapper = GHOptimWrapper(
            optimizer=optimizer, harmonizer=dict(type='mmgh.GHPlusPlus'),
            **options)
    model.train_step(make_batch(), wrapper)
    for name, parameter in model.named_parameters():
        assert parameter.isfinite().all()
        assert not torch.equal(parameter, before[name]), name


def test_source_without_labels_is_refused():
    model = make_model()
    batch = make_batch()
    batch['source']['data_samples'] = [DataSample() for _ in range(6)]
    with pytest.raises(ValueError, match='source should have labels'):
        losses_of(model, batch)
