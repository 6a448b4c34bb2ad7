"""MDD: the adversarial classifier against plain loops, and its game."""
from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from mmgh.models import DomainOutput, MDDHead


def make_head(iteration=2000, **kwargs) -> MDDHead:
    kwargs.setdefault('dropout', 0.)
    head = MDDHead(6, 3, hidden_channels=5, **kwargs)
    head.reversal.iteration.fill_(iteration)
    return head


def make_output(size) -> DomainOutput:
    return DomainOutput(
        torch.randn(size, 6, requires_grad=True),
        torch.randn(size, 3, requires_grad=True))


def plain_loss(head, source, target) -> float:
    """The formula, sample by sample, with probabilities and logarithms."""

    def probabilities(output: DomainOutput):
        for features, logits in zip(output.features, output.logits.tolist()):
            scores = head.adversary(features[None])[0].double()
            p = [math.exp(v) for v in scores.tolist()]
            yield p[logits.index(max(logits))] / sum(p)

    agree = [math.log(p) for p in probabilities(source)]
    differ = [math.log(1 - p) for p in probabilities(target)]
    return (-head.margin * sum(agree) / len(agree) -
            sum(differ) / len(differ))


@pytest.mark.parametrize('margin', [0.5, 4.])
@pytest.mark.parametrize('sizes', [(1, 1), (5, 3)])
def test_loss_equals_a_plain_loop(margin, sizes):
    head = make_head(margin=margin, loss_weight=0.7)
    source, target = map(make_output, sizes)
    loss = head.loss(source, target)['loss_mdd'].item()
    assert loss == pytest.approx(
        0.7 * plain_loss(head, source, target), rel=1e-5)


def test_adversary_learns_to_agree_on_the_source_and_differ_on_the_target():
    head = make_head()
    source, target = make_output(8), make_output(8)
    optimizer = torch.optim.Adam(head.parameters(), lr=0.05)
    for _ in range(100):
        optimizer.zero_grad()
        head.loss(source, target)['loss_mdd'].backward()
        optimizer.step()
    agreed = head.adversary(source.features).argmax(1)
    assert torch.equal(agreed, source.logits.argmax(1))
    assert head.loss(source, target)['disagreement'] == 100


def test_features_ascend_and_the_adversary_descends():
    """The step of each goes where the loss says, checked by taking it."""
    head = make_head()
    source, target = make_output(8), make_output(8)
    loss = head.loss(source, target)['loss_mdd']
    loss.backward()

    def value() -> Tensor:
        return head.loss(source, target)['loss_mdd']

    with torch.no_grad():
        for output in (source, target):
            output.features.sub_(0.1 * output.features.grad)
        assert value() > loss
        for output in (source, target):
            output.features.add_(0.1 * output.features.grad)
        for parameter in head.parameters():
            parameter.sub_(0.01 * parameter.grad)
        assert value() < loss


def test_gradient_on_features_is_scaled_by_the_published_warm_up():
    gradients = []
    for iteration in (100, 3000):
        torch.manual_seed(0)
        head = make_head(iteration)
        source, target = make_output(4), make_output(4)
        losses = head.loss(source, target)
        losses['loss_mdd'].backward()
        coefficient = 0.2 / (1 + math.exp(-iteration / 1000)) - 0.1
        assert losses['reversal'].item() == pytest.approx(coefficient)
        gradients.append(target.features.grad / coefficient)
    torch.testing.assert_close(*gradients)


def test_no_gradient_flows_through_the_predictions():
    source, target = make_output(4), make_output(4)
    make_head().loss(source, target)['loss_mdd'].backward()
    assert source.logits.grad is None and target.logits.grad is None


@pytest.mark.parametrize('agrees', [True, False])
def test_certain_adversary_has_a_finite_loss_and_the_exact_gradient(agrees):
    """Where ``1 - p`` rounds to zero its logarithm still has a slope: of
    ``-log(1 - p)`` it is ``p``."""
    head = make_head(loss_weight=1.)
    bias = head.adversary[-1].bias
    with torch.no_grad():
        for parameter in head.adversary.parameters():
            parameter.zero_()
        bias.copy_(torch.tensor([200., 0., 0.]))
    label = 0 if agrees else 1
    logits = torch.eye(3)[[label]].expand(4, 3)
    source = DomainOutput(torch.randn(4, 6), torch.eye(3)[[0]].expand(4, 3))
    target = DomainOutput(torch.randn(4, 6), logits)
    loss = head.loss(source, target)['loss_mdd']
    loss.backward()
    expected = 200 - math.log(2) if agrees else 0.
    assert loss.item() == pytest.approx(expected, abs=1e-5)
    slope = [1., -0.5, -0.5] if agrees else [0., 0., 0.]
    torch.testing.assert_close(bias.grad, torch.tensor(slope))


def test_logs_the_disagreement_on_the_target():
    head = make_head()
    head.adversary = torch.nn.Identity()  # the features are the scores
    eye = torch.eye(3)
    source = DomainOutput(eye, eye)
    target = DomainOutput(eye[[0, 1, 2, 0]], eye[[0, 1, 2, 1]])
    assert head.loss(source, target)['disagreement'] == 25


@pytest.mark.parametrize('options, message', [
    (dict(margin=0), '`margin`.*above 0.*0'),
    (dict(num_classes=1), '`num_classes`.*at least 2.*1'),
    (dict(reversal=dict(max_coefficient=-1)), '`max_coefficient`.*-1'),
])
def test_bad_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        MDDHead(**{'in_channels': 6, 'num_classes': 3, **options})
