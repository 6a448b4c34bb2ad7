"""AFN: norms grow by a step, and the entropy falls if wanted."""
from __future__ import annotations

import math

import pytest
import torch

from mmgh.models import AFNHead, DomainOutput


def make_output(size, scale=1.) -> DomainOutput:
    return DomainOutput((scale * torch.randn(size, 6)).requires_grad_(),
                        torch.randn(size, 3, requires_grad=True))


def test_loss_is_the_squared_step_of_both_domains():
    losses = AFNHead(
        6, 3, delta=0.3, loss_weight=0.7).loss(make_output(5), make_output(3))
    assert losses['loss_norm'].item() == pytest.approx(0.7 * 2 * 0.3**2)
    assert 'loss_entropy' not in losses


@pytest.mark.parametrize('scale', [0.01, 1., 100.])
def test_gradient_lengthens_each_feature_by_the_same(scale):
    """Of (|f| - r - delta)^2 / n it is -2 delta / n times f / |f|."""
    source, target = make_output(5, scale), make_output(3, scale)
    head = AFNHead(6, 3, delta=0.3, loss_weight=0.7)
    head.loss(source, target)['loss_norm'].backward()
    for output in (source, target):
        size = len(output.features)
        for f, grad in zip(output.features.detach(), output.features.grad):
            length = math.sqrt(sum(v**2 for v in f.tolist()))
            torch.testing.assert_close(
                grad, -0.7 * 2 * 0.3 / size * f / length)


def test_entropy_is_the_mean_over_the_target():
    source, target = make_output(5), make_output(3)
    losses = AFNHead(6, 3, entropy_weight=0.2).loss(source, target)
    total = 0.
    for logits in target.logits.tolist():
        p = [math.exp(v) for v in logits]
        p = [v / sum(p) for v in p]
        total -= sum(v * math.log(v) for v in p)
    assert losses['loss_entropy'].item() == pytest.approx(0.2 * total / 3)
    losses['loss_entropy'].backward()
    assert source.logits.grad is None and target.logits.grad.any()


def test_logs_the_mean_norm_of_each_domain():
    source = DomainOutput(torch.tensor([[3., 4.], [0., 1.]]), torch.ones(2, 3))
    target = DomainOutput(torch.tensor([[0., 2.]]), torch.ones(1, 3))
    losses = AFNHead(2, 3).loss(source, target)
    assert losses['source_norm'] == 3 and losses['target_norm'] == 2


def test_nothing_is_trained_or_saved():
    assert not AFNHead(6, 3).state_dict()


@pytest.mark.parametrize('kwargs, message', [
    (dict(delta=0), '`delta`.*above 0.*0'),
    (dict(entropy_weight=-1.), '`entropy_weight`.*-1'),
])
def test_bad_options_are_refused(kwargs, message):
    with pytest.raises(ValueError, match=message):
        AFNHead(6, 3, **kwargs)
