"""BSP: the penalty on singular values beside an adversarial head."""
from __future__ import annotations

import copy

import pytest
import torch

from mmgh.models import BSPHead, CDANHead, DANNHead, DomainOutput

ADVERSARIES = [
    (DANNHead, dict(discriminator=dict(hidden_channels=5, dropout=0.))),
    (CDANHead,
     dict(
         type='mmgh.CDANHead',
         entropy='reversed',
         discriminator=dict(hidden_channels=5, dropout=0.))),
]


def make_output(features: torch.Tensor) -> DomainOutput:
    features = features.clone().requires_grad_()
    return DomainOutput(features, torch.randn(len(features), 3))


def penalty_of(*outputs, **kwargs) -> torch.Tensor:
    return BSPHead(6, 3, **kwargs).loss(*outputs)['loss_spectral']


def with_singular_values(values: list[float], size: int) -> torch.Tensor:
    """Features ``(size, 6)`` of which they are known."""
    left = torch.linalg.qr(torch.randn(size, size))[0]
    right = torch.linalg.qr(torch.randn(6, 6))[0]
    count = len(values)
    return left[:, :count] @ torch.tensor(values).diag() @ right[:count]


@pytest.mark.parametrize('num_values, expected', [
    (1, 4**2 + 3**2),
    (2, 4**2 + 2**2 + 3**2 + 1**2),
    (9, 4**2 + 2**2 + 0.5**2 + 3**2 + 1**2),
])
def test_penalty_is_that_of_known_singular_values(num_values, expected):
    source = make_output(with_singular_values([4., 2., 0.5], 5))
    target = make_output(with_singular_values([3., 1.], 8))
    penalty = penalty_of(
        source, target, num_values=num_values, loss_weight=0.1)
    assert penalty.item() == pytest.approx(0.1 * expected, rel=1e-5)


def test_weight_is_as_published():
    features = with_singular_values([10.], 5)
    penalty = penalty_of(make_output(features), make_output(features))
    assert penalty.item() == pytest.approx(1e-4 * 2 * 10**2)


def test_a_step_shrinks_the_largest_singular_value_only():
    source = make_output(with_singular_values([4., 2., 0.5], 5))
    target = make_output(with_singular_values([3., 1.], 8))
    penalty_of(source, target, loss_weight=1.).backward()
    # d(sigma^2) = 2 sigma d(sigma)
    for output, expected in ((source, [4 * 0.8, 2., 0.5]),
                             (target, [3 * 0.8, 1.])):
        moved = output.features.detach() - 0.1 * output.features.grad
        values = torch.linalg.svdvals(moved)[:len(expected)]
        torch.testing.assert_close(values, torch.tensor(expected))


@pytest.mark.parametrize('head_type, options', ADVERSARIES)
def test_adversarial_part_is_the_head_of_that_type(head_type, options):
    head = BSPHead(6, 3, adversary=options)
    assert type(head.adversary) is head_type
    head.adversary.reversal.iteration.fill_(3000)
    twin = copy.deepcopy(head.adversary)
    source, target = (make_output(torch.randn(n, 6)) for n in (5, 3))
    losses = head.loss(source, target)
    torch.testing.assert_close(
        {k: v for k, v in losses.items() if k != 'loss_spectral'},
        twin.loss(source, target))
    assert head.tasks == dict(
        loss_domain='alignment', loss_spectral='alignment')
    assert head.adversary.reversal.iteration == 3001


@pytest.mark.parametrize('num_values', [1, 3])
@pytest.mark.parametrize('features', [
    1e15 * torch.eye(4, 6),
    torch.full((4, 6), 1e15),
    torch.eye(4, 6),
    torch.zeros(4, 6),
    torch.ones(1, 6),
])
def test_penalty_is_finite(features, num_values):
    """Where values are huge, equal, or fewer than wanted."""
    outputs = [make_output(features) for _ in range(2)]
    penalty = penalty_of(*outputs, num_values=num_values)
    penalty.backward()
    assert penalty.isfinite()
    for output in outputs:
        assert output.features.grad.isfinite().all()


def test_features_in_half_precision():
    """There is no SVD of them, and autocast casts for it on the CPU only."""
    features = torch.randn(4, 6).bfloat16()
    half, exact = make_output(features), make_output(features.float())
    head = BSPHead(6, 3).bfloat16()
    penalty = head.loss(half, half)['loss_spectral']
    torch.testing.assert_close(penalty, penalty_of(exact, exact))
    penalty.backward()
    assert half.features.grad.isfinite().all()


def test_bad_number_of_values_is_refused():
    with pytest.raises(ValueError, match='`num_values`.*got 0'):
        BSPHead(6, 3, num_values=0)


@pytest.mark.parametrize('value', [float('nan'), float('inf')])
def test_features_that_overflowed_give_nan(value):
    """As in other losses: loss scaling then skips the step."""
    features = torch.randn(5, 6)
    features[2, 3] = value
    source = make_output(features)
    penalty = penalty_of(source, make_output(torch.randn(4, 6)))
    assert penalty.isnan()
    penalty.backward()
    assert not source.features.grad.isfinite().all()
