"""Deep CORAL: covariances, and the means if wanted."""
from __future__ import annotations

import pytest
import torch

from mmgh.models import DeepCORALHead, DomainOutput


def make_output(size, channels=4) -> DomainOutput:
    return DomainOutput(torch.randn(size, channels), torch.randn(size, 3))


def loss_of(head, source, target) -> torch.Tensor:
    return head.loss(source, target)['loss_coral']


def plain_covariance(features, i, j) -> float:
    a, b = features[:, i].tolist(), features[:, j].tolist()
    n = len(a)
    products = sum(x * y for x, y in zip(a, b))
    return (products - sum(a) * sum(b) / n) / (n - 1)


@pytest.mark.parametrize('sizes', [(2, 2), (7, 3)])
@pytest.mark.parametrize('align_means', [True, False])
def test_loss_equals_a_plain_loop(sizes, align_means):
    source, target = map(make_output, sizes)
    expected = sum(
        (plain_covariance(source.features, i, j) -
         plain_covariance(target.features, i, j))**2
        for i in range(4) for j in range(4)) / (4 * 4**2)
    if align_means:
        expected += sum(
            (source.features[:, i].mean() - target.features[:, i].mean())**2
            for i in range(4)).item() / (4 * 4)
    head = DeepCORALHead(4, 3, align_means=align_means, loss_weight=0.7)
    assert loss_of(head, source, target).item() == pytest.approx(
        0.7 * expected, rel=1e-4)


def test_covariances_do_not_see_a_shift_but_means_do():
    source = make_output(5)
    target = source._replace(features=source.features + 3)
    assert loss_of(DeepCORALHead(4, 3), source, target) < 1e-10
    with_means = DeepCORALHead(4, 3, align_means=True)
    assert loss_of(with_means, source,
                   target).item() == pytest.approx(9 / 4, rel=1e-4)


@pytest.mark.parametrize('align_means', [True, False])
def test_a_step_of_the_features_aligns_them(align_means):
    head = DeepCORALHead(4, 3, align_means=align_means)
    source, target = make_output(16), make_output(16)
    target = target._replace(features=2 * target.features + 1)
    outputs = source, target
    for output in outputs:
        output.features.requires_grad_()
    loss = loss_of(head, *outputs)
    loss.backward()
    moved = [
        output._replace(features=output.features - 0.1 * output.features.grad)
        for output in outputs
    ]
    assert loss_of(head, *moved) < loss


def test_nothing_is_trained_or_saved():
    assert not DeepCORALHead(4, 3).state_dict()


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_large_features_in_mixed_precision_do_not_overflow(dtype):
    outputs = [
        DomainOutput((300 * torch.randn(32, 4)).to(dtype),
                     torch.randn(32, 3)) for _ in range(2)
    ]
    head = DeepCORALHead(4, 3)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        loss = loss_of(head, *outputs)
    exact = loss_of(
        head,
        *(output._replace(features=output.features.double().float())
          for output in outputs))
    assert loss.isfinite()
    torch.testing.assert_close(loss, exact)


def test_single_samples_are_refused():
    with pytest.raises(ValueError, match='at least 2 samples.*1 and 5'):
        loss_of(DeepCORALHead(4, 3), make_output(1), make_output(5))
