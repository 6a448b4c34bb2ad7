"""The losses of DANN and CDAN against plain loops."""
from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from mmgh.models import CDANHead, DANNHead, DomainOutput

HEADS = [
    (DANNHead, {}),
    (DANNHead, dict(entropy='reversed')),
    (DANNHead, dict(entropy='detached')),
    (CDANHead, {}),
    (CDANHead, dict(entropy='reversed')),
    (CDANHead, dict(entropy='detached')),
    (CDANHead, dict(multilinear_map=dict(randomized=True, random_dim=7))),
]
each = pytest.mark.parametrize('head_type, kwargs', HEADS)


def make_head(head_type, kwargs, iteration=3000):
    head = head_type(
        6, 3, discriminator=dict(hidden_channels=5, dropout=0.), **kwargs)
    head.reversal.iteration.fill_(iteration)
    return head


def make_output(size: int) -> DomainOutput:
    return DomainOutput(
        torch.randn(size, 6, requires_grad=True),
        torch.randn(size, 3, requires_grad=True))


def plain_loss(head, source, target) -> float:
    """The published formula, sample by sample."""
    means = []
    for output, label in ((source, 1), (target, 0)):
        total = weights = 0.
        for features, logits in zip(output.features, output.logits):
            p = [math.exp(v) for v in logits.tolist()]
            p = [v / sum(p) for v in p]
            if isinstance(head, CDANHead):
                features = head.multilinear_map(
                    features[None], torch.tensor([p]))[0]
            d = torch.sigmoid(head.discriminator(features[None])).item()
            entropy = -sum(v * math.log(v) for v in p)
            weight = 1 + math.exp(-entropy) if head.entropy else 1
            weights += weight
            total -= weight * math.log(d if label else 1 - d)
        means.append(total / weights)
    return sum(means) / 2


@each
def test_loss_equals_a_plain_loop(head_type, kwargs):
    head = make_head(head_type, dict(kwargs, loss_weight=0.7))
    source, target = make_output(5), make_output(3)
    loss = head.loss(source, target)['loss_domain'].item()
    assert loss == pytest.approx(
        0.7 * plain_loss(head, source, target), rel=1e-5)


@each
def test_features_ascend_and_the_discriminator_descends(head_type, kwargs):
    """The step of each goes where the loss says, checked by taking it."""
    head = make_head(head_type, kwargs)
    source, target = make_output(8), make_output(8)
    loss = head.loss(source, target)['loss_domain']
    loss.backward()

    def loss_after(features_step, discriminator_step):
        moved = [
            DomainOutput(o.features - features_step * o.features.grad,
                         o.logits) for o in (source, target)
        ]
        with torch.no_grad():
            for p in head.discriminator.parameters():
                p.sub_(discriminator_step * p.grad)
            value = head.loss(*moved)['loss_domain'].item()
            for p in head.discriminator.parameters():
                p.add_(discriminator_step * p.grad)
        return value

    assert loss_after(0, 0.01) < loss.item() < loss_after(1, 0)


@each
def test_gradient_on_features_is_scaled_by_the_coefficient(head_type, kwargs):
    results = []
    for iteration in (100, 3000):
        torch.manual_seed(0)
        head = make_head(head_type, kwargs, iteration)
        source, target = make_output(4), make_output(4)
        head.loss(source, target)['loss_domain'].backward()
        results.append((math.tanh(iteration / 2000), source.features.grad,
                        head.discriminator.layers[0].weight.grad))
    (weak, weak_grad, first), (strong, strong_grad, second) = results
    torch.testing.assert_close(weak_grad / weak, strong_grad / strong)
    torch.testing.assert_close(first, second)


@pytest.mark.parametrize('head_type', [DANNHead, CDANHead])
@pytest.mark.parametrize('entropy, flows', [(None, False), ('detached', False),
                                            ('reversed', True)])
def test_predictions_get_a_gradient_through_reversed_entropy_only(
        head_type, entropy, flows):
    head = make_head(head_type, dict(entropy=entropy))
    source, target = make_output(4), make_output(4)
    head.loss(source, target)['loss_domain'].backward()
    for output in (source, target):
        grad = output.logits.grad
        assert (grad is not None and bool(grad.any())) == flows


def plain_entropy_gradient(head, output, label) -> list[list[float]]:
    """Of the loss on the logits: through each weight, but not their sum."""
    with torch.no_grad():
        scores = head.discriminator(head.discriminator_inputs(output))
    probabilities = output.logits.softmax(dim=1).tolist()
    entropies = [-sum(v * math.log(v) for v in p) for p in probabilities]
    sum_of_weights = sum(1 + math.exp(-entropy) for entropy in entropies)
    rows = []
    for d, p, entropy in zip(scores.sigmoid().tolist(), probabilities,
                             entropies):
        bce = -math.log(d if label else 1 - d)
        on_entropy = -bce * math.exp(-entropy) / (2 * sum_of_weights)
        rows.append([-on_entropy * v * (math.log(v) + entropy) for v in p])
    return rows


@pytest.mark.parametrize('head_type', [DANNHead, CDANHead])
def test_gradient_through_the_reversed_entropy(head_type):
    head = make_head(head_type, dict(entropy='reversed'))
    outputs = make_output(5), make_output(3)
    head.loss(*outputs)['loss_domain'].backward()
    for output, label in zip(outputs, (1, 0)):
        expected = plain_entropy_gradient(head, output, label)
        torch.testing.assert_close(output.logits.grad,
                                   -math.tanh(1.5) * torch.tensor(expected))


@each
@pytest.mark.parametrize('is_right', [True, False])
def test_certain_discriminators_are_finite(head_type, kwargs, is_right):
    """One that is right leaves the features alone."""
    head = make_head(head_type, kwargs)
    scores = torch.tensor([1e4] * 4 + [-1e4] * 3) * (1 if is_right else -1)
    head.discriminator.forward = lambda x: scores + x.sum(dim=1)
    source, target = make_output(4), make_output(3)
    losses = head.loss(source, target)
    losses['loss_domain'].backward()
    assert losses['loss_domain'].item() == pytest.approx(
        0 if is_right else 1e4, rel=0.01)
    assert losses['domain_accuracy'] == (100 if is_right else 0)
    for grad in (source.features.grad, target.features.grad):
        assert grad.isfinite().all() and bool(grad.any()) != is_right


def test_logs_the_accuracy_of_the_discriminator():
    head = make_head(DANNHead, {})
    head.discriminator = nn.Flatten(0)  # the feature is the score
    source = DomainOutput(torch.tensor([[2.], [-1.]]), torch.zeros(2, 3))
    target = DomainOutput(torch.tensor([[-2.], [-1.]]), torch.zeros(2, 3))
    assert head.loss(source, target)['domain_accuracy'] == 75


@pytest.mark.parametrize('entropy', [True, False])
def test_unknown_entropy_is_refused(entropy):
    with pytest.raises(ValueError, match=f"`entropy`.*'detached'.*{entropy}"):
        DANNHead(6, 3, entropy=entropy)


@pytest.mark.parametrize('batch_norm, count', [(True, 2), (False, 0)])
def test_batch_norm_of_the_discriminator_is_a_switch(batch_norm, count):
    options = dict(hidden_channels=5, batch_norm=batch_norm)
    layers = DANNHead(6, 3, discriminator=options).discriminator.modules()
    assert sum(isinstance(x, nn.BatchNorm1d) for x in layers) == count


@pytest.mark.parametrize('randomized, size', [(None, 1024), (True, 1024),
                                              (False, 4200)])
def test_a_large_map_is_exact_if_it_should_not_be_random(randomized, size):
    head = CDANHead(
        1400,
        3,
        multilinear_map=dict(randomized=randomized),
        discriminator=dict(hidden_channels=5))
    assert head.discriminator_inputs(
        DomainOutput(torch.randn(2, 1400), torch.randn(2, 3))).shape == (
            2, size)
