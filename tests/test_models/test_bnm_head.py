"""BNMHead against an independent computation of the nuclear norm."""
from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from mmgh.models import BNMHead, DomainOutput


def loss_of(logits: torch.Tensor, **options) -> torch.Tensor:
    source = DomainOutput(torch.randn(5, 4), torch.randn(5, logits.shape[1]))
    target = DomainOutput(torch.randn(len(logits), 4), logits)
    head = BNMHead(4, logits.shape[1], **options)
    return head.loss(source, target)['loss_bnm']


@pytest.mark.parametrize('shape', [(7, 3), (3, 7), (1, 4), (4, 4)])
def test_loss_is_minus_the_nuclear_norm_per_image(shape):
    """By the eigenvalues of P^T P, in float64."""
    logits = 2 * torch.randn(shape)
    p = np.exp(logits.double().numpy())
    p /= p.sum(axis=1, keepdims=True)
    eigenvalues = np.linalg.eigvalsh(p.T @ p).clip(min=0)
    norm = np.sqrt(eigenvalues).sum()
    expected = -0.7 * norm / shape[0]
    assert loss_of(logits, loss_weight=0.7).item() == pytest.approx(
        expected, rel=1e-4)


def test_certain_and_balanced_predictions_are_best():
    certain = 100 * torch.eye(3).repeat(4, 1)
    best = -math.sqrt(3 / 12)
    assert loss_of(certain).item() == pytest.approx(best, rel=1e-5)
    of_one_class = 100 * torch.eye(3)[:1].repeat(12, 1)
    for other in (torch.zeros(12, 3), of_one_class, torch.randn(12, 3)):
        assert loss_of(other) > best + 0.01


def test_gradient_is_that_of_finite_differences():
    logits = torch.randn(5, 3, dtype=torch.double, requires_grad=True)
    torch.autograd.gradcheck(loss_of, logits)
