"""MCC: class confusion of the target, against plain loops."""
from __future__ import annotations

import math

import pytest
import torch

from mmgh.models import DomainOutput, MCCHead


def confusion_of(logits: torch.Tensor, **kwargs) -> torch.Tensor:
    num_classes = logits.shape[1]
    source = DomainOutput(torch.zeros(2, 4), torch.zeros(2, num_classes))
    target = DomainOutput(torch.zeros(len(logits), 4), logits)
    head = MCCHead(4, num_classes, **kwargs)
    return head.loss(source, target)['loss_mcc']


def plain_confusion(logits: torch.Tensor,
                    temperature: float,
                    weights=None) -> float:
    """The published steps: softmax, weights, matrix, rows, what is beside
    the diagonal."""
    predictions = []
    for row in logits.tolist():
        p = [math.exp(v / temperature) for v in row]
        predictions.append([v / sum(p) for v in p])
    if weights is None:
        weights = [
            1 + math.exp(sum(v * math.log(v) for v in p)) for p in predictions
        ]
    weights = [w * len(weights) / sum(weights) for w in weights]
    classes = range(logits.shape[1])
    total = 0.
    for j in classes:
        row = [
            sum(w * p[j] * p[k] for w, p in zip(weights, predictions))
            for k in classes
        ]
        total += sum(v for k, v in enumerate(row) if k != j) / sum(row)
    return total / len(classes)


@pytest.mark.parametrize('size', [1, 2, 9])
@pytest.mark.parametrize('temperature', [1., 2.5])
def test_loss_equals_a_plain_loop(size, temperature):
    logits = 3 * torch.randn(size, 5)
    loss = confusion_of(logits, temperature=temperature, loss_weight=0.7)
    assert loss.item() == pytest.approx(
        0.7 * plain_confusion(logits, temperature), rel=1e-5)


def test_gradient_is_that_of_a_plain_loop_with_constant_weights():
    logits = torch.randn(4, 3, dtype=torch.double, requires_grad=True)
    confusion_of(logits).backward()
    p = (logits.detach() / 2.5).softmax(1)
    weights = (1 + (p * p.log()).sum(1).exp()).tolist()
    for i in range(4):
        for k in range(3):
            step = torch.zeros_like(logits)
            step[i, k] = 1e-5
            slope = (plain_confusion(logits + step, 2.5, weights) -
                     plain_confusion(logits - step, 2.5, weights)) / 2e-5
            assert logits.grad[i, k].item() == pytest.approx(slope, abs=1e-8)


def test_uniform_predictions_confuse_all_classes():
    assert confusion_of(torch.zeros(6, 4)).item() == pytest.approx(3 / 4)


def test_certain_predictions_of_all_classes_confuse_none():
    assert confusion_of(1e3 * torch.eye(4)).item() == pytest.approx(0)


def test_a_step_makes_the_predictions_more_certain():
    logits = torch.randn(16, 5, requires_grad=True)
    loss = confusion_of(logits)
    loss.backward()
    moved = logits.detach() - logits.grad
    assert confusion_of(moved) < loss
    certainty = [y.softmax(1).max(1)[0].mean() for y in (logits, moved)]
    assert certainty[1] > certainty[0]


def test_source_does_not_matter():
    target = DomainOutput(torch.zeros(5, 4), torch.randn(5, 3))
    head = MCCHead(4, 3)
    source = DomainOutput(
        torch.randn(6, 4), torch.randn(6, 3, requires_grad=True))
    first = head.loss(source, target)['loss_mcc']
    second = head.loss(target, target)['loss_mcc']
    assert torch.equal(first, second) and not first.requires_grad


@pytest.mark.parametrize('scale', [1e2, 1e3, 1e6, 1e30])
def test_a_class_without_any_probability_is_finite(scale):
    """As published its row of the matrix is 0 / 0."""
    logits = (scale * torch.tensor([[1., 0, -1], [1., -1, 0], [2., 0, 0]]))
    logits.requires_grad_()
    loss = confusion_of(logits)
    loss.backward()
    # The rows of the two absent classes are confused with the one present.
    assert loss.item() == pytest.approx(2 / 3)
    assert logits.grad.isfinite().all()


@pytest.mark.parametrize('temperature', [0, -1., float('nan')])
def test_bad_temperature_is_refused(temperature):
    with pytest.raises(ValueError, match=f'`temperature`.*{temperature}'):
        MCCHead(4, 3, temperature=temperature)
