"""AdaptSegNet's head and its discriminator, which need no mmseg."""
from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from mmengine.registry import MODELS
from torch import nn

from mmgh.input_error import InputError
from mmgh.models import DomainOutput, MapDiscriminator

CLASSES = 3


def head(**options):
    torch.manual_seed(0)
    return MODELS.build(
        dict(
            dict(
                type='mmgh.AdaptSegNetHead',
                num_classes=CLASSES,
                discriminator=dict(hidden_channels=(4, 5)),
                reversal=dict(max_coefficient=0.3)), **options))


def outputs(sizes=((16, 24), (24, 16)), scale: float = 1.) -> list:
    """Of three images of the source and two of the target."""
    generator = torch.Generator().manual_seed(1)
    return [
        DomainOutput(None, (scale * torch.randn(
            number, CLASSES, *size, generator=generator)).requires_grad_())
        for number, size in zip((3, 2), sizes)
    ]


def by_hand(net, source, target, source_sign=0.):
    """Gradients on logits and discriminator, each from a loss of its own."""
    logits = [o.logits.detach().requires_grad_() for o in (source, target)]
    scores = [net.discriminator(x.softmax(dim=1)) for x in logits]
    loss = (-F.logsigmoid(scores[0]).mean() - F.logsigmoid(-scores[1]).mean()
            ) / 2
    own = torch.autograd.grad(
        loss, list(net.discriminator.parameters()), retain_graph=True)
    of_logits = torch.autograd.grad(loss, logits)
    # Constant from the first step on, as published.
    factor = 0.3 * math.tanh(5)
    return loss, own, [source_sign * factor * of_logits[0],
                       -factor * of_logits[1]]


@pytest.mark.parametrize('domains, sign', [('target', 0.), ('both', -1.)])
def test_loss_and_gradients_are_the_formula_s(domains, sign):
    net = head(reversed_domains=domains)
    source, target = outputs()
    loss, own, of_logits = by_hand(net, source, target, sign)
    found = net.loss(source, target)['loss_domain']
    torch.testing.assert_close(found, loss)
    found.backward()
    torch.testing.assert_close(
        [p.grad for p in net.discriminator.parameters()], list(own))
    grads = [source.logits.grad, target.logits.grad]
    if domains == 'target':
        assert grads[0] is None
        grads[0] = torch.zeros_like(of_logits[0])
    torch.testing.assert_close(grads, of_logits)


def test_loss_weight_scales_all_of_it():
    source, target = outputs()
    losses = [head(loss_weight=w).loss(source, target)['loss_domain']
              for w in (1., 4.)]
    torch.testing.assert_close(4 * losses[0], losses[1])


def test_default_is_the_published_weight_from_the_first_step_on():
    net = MODELS.build(dict(type='mmgh.AdaptSegNetHead', num_classes=3))
    for _ in range(3):
        assert net.reversal.coefficient.item() == pytest.approx(
            1e-3, rel=1e-3)
        net.reversal.advance()


def test_names_tasks_and_log():
    net = head()
    results = net.loss(*outputs())
    assert set(results) == {'loss_domain', 'domain_accuracy', 'reversal'}
    assert net.tasks == dict(loss_domain='alignment')
    assert net.pairs == (('alignment', 'cls'), )
    assert 0 <= results['domain_accuracy'] <= 100
    assert net.reversal.iteration == 1


@pytest.mark.parametrize('scale', [0., 1e4])
def test_degenerate_maps_are_finite(scale):
    source, target = outputs(scale=scale)
    head().loss(source, target)['loss_domain'].backward()
    assert target.logits.grad.isfinite().all()


def test_discriminator_halves_the_map_in_each_layer():
    net = MapDiscriminator(3, hidden_channels=(4, 8))
    assert net(torch.randn(2, 3, 64, 40)).shape == (2, 8, 5)
    kinds = [type(layer) for layer in net.layers]
    assert kinds == [nn.Conv2d, nn.LeakyReLU] * 2 + [nn.Conv2d]
    assert net.layers[1].negative_slope == 0.2
    published = MapDiscriminator(19)
    assert [layer.out_channels for layer in published.layers
            if isinstance(layer, nn.Conv2d)] == [64, 128, 256, 512, 1]
    assert published(torch.randn(1, 19, 32, 32)).shape == (1, 1, 1)


def test_map_that_is_too_small_is_told():
    net = MapDiscriminator(3, hidden_channels=(4, 8))
    net(torch.randn(1, 3, 8, 8))
    with pytest.raises(InputError, match=r'at least 8 pixels.*got \(9, 7\)'):
        net(torch.randn(1, 3, 9, 7))
