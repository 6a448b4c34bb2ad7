"""Gradient reversal, discriminator, multilinear map, bottleneck."""
from __future__ import annotations

import math

import pytest
import torch

from mmgh.models import (Bottleneck, DomainDiscriminator, GradientReversal,
                         MultilinearMap)


@pytest.mark.parametrize('kwargs', [
    {},
    dict(alpha=1, warmup_iters=1000),
    dict(alpha=10, warmup_iters=50, max_coefficient=0.1),
])
def test_reversal_follows_the_warmup(kwargs):
    layer = GradientReversal(**kwargs)
    alpha = kwargs.get('alpha', 10)
    iters = kwargs.get('warmup_iters', 10000)
    top = kwargs.get('max_coefficient', 1)
    for i in range(100):
        x = torch.randn(3, 2, requires_grad=True)
        upstream = torch.randn(3, 2)
        y = layer(x)
        assert torch.equal(y, x)
        y.backward(upstream)
        coefficient = top * (2 / (1 + math.exp(-alpha * i / iters)) - 1)
        torch.testing.assert_close(
            x.grad, -coefficient * upstream, rtol=1e-5, atol=1e-7)
        layer.advance()


def test_reversal_resumes_where_it_was():
    layer = GradientReversal()
    for _ in range(7):
        layer.advance()
    resumed = GradientReversal()
    resumed.load_state_dict(layer.state_dict())
    assert resumed.coefficient == layer.coefficient > 0


def test_reversal_that_counts_first_is_one_iteration_ahead():
    """From the first iteration on, and after a resume."""
    late = GradientReversal()
    early = GradientReversal(counts_first=True)
    for _ in range(3):
        late.advance()
        assert early.coefficient == late.coefficient > 0
        early.advance()
    early.load_state_dict(late.state_dict())
    late.advance()
    assert early.coefficient == late.coefficient
    with pytest.raises(TypeError, match='`counts_first`.*got 1'):
        GradientReversal(counts_first=1)


@pytest.mark.parametrize('name', ['alpha', 'warmup_iters', 'max_coefficient'])
@pytest.mark.parametrize('value', [0, -1])
def test_reversal_options_must_be_positive(name, value):
    with pytest.raises(ValueError, match=f'`{name}` .*got {value}'):
        GradientReversal(**{name: value})


@pytest.mark.parametrize('batch_norm', [True, False])
def test_discriminator_gives_one_logit_a_sample(batch_norm):
    layer = DomainDiscriminator(6, hidden_channels=4, batch_norm=batch_norm)
    assert layer(torch.randn(5, 6)).shape == (5, )
    assert layer.eval()(torch.randn(1, 6)).shape == (1, )


def test_exact_map_is_the_outer_product():
    layer = MultilinearMap(3, 2)
    assert not layer.randomized and layer.out_channels == 6
    features, predictions = torch.randn(4, 3), torch.rand(4, 2)
    mapped = layer(features, predictions)
    for n in range(4):
        for c in range(2):
            for d in range(3):
                assert mapped[n, 3 * c + d] == (
                    predictions[n, c] * features[n, d])


def test_randomized_map_keeps_inner_products_in_expectation():
    features = torch.randn(2, 8)
    predictions = torch.randn(2, 5).softmax(1)
    exact = (features[0] @ features[1]) * (predictions[0] @ predictions[1])
    layer = MultilinearMap(8, 5, randomized=True, random_dim=200000)
    first, second = layer(features, predictions)
    assert (first @ second).item() == pytest.approx(exact.item(), abs=0.1)


def test_randomized_map_is_chosen_by_size_and_saved():
    assert not MultilinearMap(128, 32).randomized
    layer = MultilinearMap(128, 33)
    assert layer.randomized and layer.out_channels == 1024
    restored = MultilinearMap(128, 33)
    restored.load_state_dict(layer.state_dict())
    x, p = torch.randn(2, 128), torch.rand(2, 33)
    assert torch.equal(restored(x, p), layer(x, p))


@pytest.mark.parametrize('norm_act', [True, False])
def test_bottleneck_shortens_the_last_feature(norm_act):
    neck = Bottleneck(6, out_channels=4, norm_act=norm_act, dropout=0.5)
    output, = neck((torch.randn(3, 9), torch.randn(3, 6)))
    assert output.shape == (3, 4)
    assert bool((output >= 0).all()) == norm_act
