"""Gaussian kernels, the MMD, and the heads of DAN and JAN."""
from __future__ import annotations

import math

import pytest
import torch

from mmgh.models import (DANHead, DomainOutput, GaussianKernel, JANHead,
                         MultiKernelMMD)

ALPHAS = (0.125, 0.25, 0.5, 1., 2.)


def squared_distance(x, y) -> float:
    return sum((a - b)**2 for a, b in zip(x.tolist(), y.tolist()))


def plain_kernel(vectors, alphas=ALPHAS, variance=None):
    """The kernel as a function of two indices."""
    if variance is None:
        pairs = [squared_distance(x, y) for x in vectors for y in vectors]
        variance = sum(pairs) / len(pairs)
    return lambda i, j: sum(
        math.exp(-squared_distance(vectors[i], vectors[j]) /
                 (2 * alpha * variance)) for alpha in alphas)


def mean(values) -> float:
    values = list(values)
    return sum(values) / len(values)


def plain_mmd(kernel, n, m) -> float:
    s, t = range(n), range(n, n + m)
    return (mean(kernel(i, j) for i in s for j in s if i != j) +
            mean(kernel(i, j) for i in t for j in t if i != j) -
            2 * mean(kernel(i, j) for i in s for j in t))


def plain_linear_mmd(kernel, n) -> float:
    neighbours = [(i, (i + 1) % n) for i in range(n)]
    return mean(
        kernel(i, j) + kernel(n + i, n + j) - kernel(i, n + j) -
        kernel(j, n + i) for i, j in neighbours)


def make_outputs(n, m) -> list[DomainOutput]:
    return [
        DomainOutput(
            torch.randn(size, 6),
            2 * torch.randn(size, 3)) for size in (n, m)
    ]


def joined(outputs, function):
    return torch.cat([function(output) for output in outputs])


@pytest.mark.parametrize('kwargs', [
    {},
    dict(alphas=[0.3]),
    dict(alphas=(1, 2), variance=0.7),
])
def test_kernel_equals_a_plain_loop(kwargs):
    x = torch.randn(5, 4)
    kernel = plain_kernel(x, **kwargs)
    expected = [[kernel(i, j) for j in range(5)] for i in range(5)]
    torch.testing.assert_close(
        GaussianKernel(**kwargs)(x), torch.tensor(expected))


@pytest.mark.parametrize('scale', [1e-3, 1e6])
def test_kernel_does_not_change_with_the_scale(scale):
    x = torch.randn(5, 4)
    kernel = GaussianKernel()
    torch.testing.assert_close(kernel(scale * x), kernel(x))


def test_kernel_sees_small_distances_between_large_vectors():
    x = torch.tensor([[1000.], [1001.], [1002.]]).repeat(20, 1)
    kernel = GaussianKernel([1.])
    torch.testing.assert_close(kernel(x), kernel(x - 1000))


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_kernel_is_exact_in_mixed_precision(dtype):
    x = (100 * torch.randn(5, 40)).to(dtype)
    kernel = GaussianKernel()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        mixed = kernel(x)
    torch.testing.assert_close(mixed, kernel(x.float()))


def test_width_of_the_kernel_gets_no_gradient():
    x = torch.randn(5, 4, requires_grad=True)
    fixed = GaussianKernel(variance=torch.cdist(x, x).square().mean().item())
    gradients = [
        torch.autograd.grad(kernel(x)[0].sum(), x)[0]
        for kernel in (GaussianKernel(), fixed)
    ]
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize('sizes', [(2, 2), (5, 5), (6, 3)])
def test_dan_equals_a_plain_loop(sizes):
    outputs = make_outputs(*sizes)
    kernel = plain_kernel(joined(outputs, lambda o: o.features))
    loss = DANHead(6, 3, loss_weight=0.7).loss(*outputs)['loss_mmd']
    assert loss.item() == pytest.approx(
        0.7 * plain_mmd(kernel, *sizes), abs=1e-5)


@pytest.mark.parametrize('sizes', [(2, 2), (5, 5), (6, 3)])
def test_jan_equals_a_plain_loop(sizes):
    outputs = make_outputs(*sizes)
    first = plain_kernel(joined(outputs, lambda o: o.features))
    second = plain_kernel(
        joined(outputs, lambda o: o.logits.softmax(1)), [1.], 0.92**2)
    loss = JANHead(6, 3, loss_weight=0.7).loss(*outputs)['loss_jmmd']
    assert loss.item() == pytest.approx(
        0.7 * plain_mmd(lambda i, j: first(i, j) * second(i, j), *sizes),
        abs=1e-5)


@pytest.mark.parametrize('size', [2, 3, 8])
def test_linear_estimate_equals_a_plain_loop(size):
    outputs = make_outputs(size, size)
    kernel = plain_kernel(joined(outputs, lambda o: o.features))
    loss = DANHead(6, 3, linear=True).loss(*outputs)['loss_mmd']
    assert loss.item() == pytest.approx(
        plain_linear_mmd(kernel, size), abs=1e-5)


@pytest.mark.parametrize('linear', [True, False])
def test_estimates_are_unbiased(linear):
    """Their mean over draws is the distance of the distributions, which is
    known for a Gaussian kernel on Gaussians."""
    mmd = MultiKernelMMD([GaussianKernel([1.], variance=1.)], linear)
    shift, draws = 1.5, 500
    values = torch.stack([
        mmd([torch.randn(4, 1)], [torch.randn(4, 1) + shift])
        for _ in range(draws)
    ])
    expected = 2 / math.sqrt(3) * (1 - math.exp(-shift**2 / 6))
    error = values.std().item() / math.sqrt(draws)
    assert values.mean().item() == pytest.approx(expected, abs=4 * error)


@pytest.mark.parametrize('linear', [True, False])
@pytest.mark.parametrize('head_type', [DANHead, JANHead])
def test_a_step_of_the_features_aligns_them(head_type, linear):
    head = head_type(6, 3, linear=linear)
    source, target = torch.randn(2, 16, 6)
    features = [source, 2 * target + 1]

    def loss_of(*features):
        outputs = [DomainOutput(f, torch.zeros(16, 3)) for f in features]
        return sum(head.loss(*outputs).values())

    for f in features:
        f.requires_grad_()
    loss = loss_of(*features)
    loss.backward()
    assert loss_of(*(f - 0.1 * f.grad for f in features)) < loss


@pytest.mark.parametrize('head_type', [DANHead, JANHead])
def test_nothing_is_trained_or_saved(head_type):
    assert not head_type(6, 3).state_dict()


def test_only_jan_reaches_the_predictions():
    for head_type, expected in ((DANHead, False), (JANHead, True)):
        outputs = make_outputs(5, 4)
        for output in outputs:
            output.features.requires_grad_()
            output.logits.requires_grad_()
        sum(head_type(6, 3).loss(*outputs).values()).backward()
        for output in outputs:
            assert output.features.grad.any()
            assert (output.logits.grad is not None) == expected


@pytest.mark.parametrize('head_type', [DANHead, JANHead])
def test_linear_estimate_needs_equal_sizes(head_type):
    head = head_type(6, 3, linear=True)
    with pytest.raises(ValueError, match='`linear=True`.*5 and 4'):
        head.loss(*make_outputs(5, 4))


@pytest.mark.parametrize('head_type', [DANHead, JANHead])
def test_single_samples_are_refused(head_type):
    with pytest.raises(ValueError, match='at least 2 samples.*5 and 1'):
        head_type(6, 3).loss(*make_outputs(5, 1))


@pytest.mark.parametrize('make, message', [
    (lambda: DANHead(6, 3, alphas=[]), r'`alphas`.*\[\]'),
    (lambda: JANHead(6, 3, alphas=[1., 0.]), r'`alphas`.*0\.0'),
    (lambda: JANHead(6, 3, prediction_sigma=0), '`prediction_sigma`.*0'),
    (lambda: GaussianKernel(variance=-1.), '`variance`.*-1'),
])
def test_bad_options_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
