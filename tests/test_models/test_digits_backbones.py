"""The small networks of the digit recipes."""
from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmgh.models import DigitsDTN, DigitsLeNet


def images(size: int) -> Tensor:
    return torch.randn(4, 3, size, size)


def layers_of(model: nn.Module, kind: type) -> list:
    return [m for m in model.modules() if isinstance(m, kind)]


def randomize_norms(model: nn.Module) -> None:
    """So that leaving one out would make a difference."""
    for norm in layers_of(model, (nn.BatchNorm1d, nn.BatchNorm2d)):
        nn.init.uniform_(norm.weight, 0.5, 2.)
        nn.init.normal_(norm.bias)
        nn.init.normal_(norm.running_mean)
        nn.init.uniform_(norm.running_var, 0.5, 2.)


def normalized(x: Tensor, norm: nn.Module) -> Tensor:
    return F.batch_norm(x, norm.running_mean, norm.running_var, norm.weight,
                        norm.bias)


def test_dtn_is_the_published_network():
    model = DigitsDTN().eval()
    randomize_norms(model)
    x = inputs = images(32)
    for conv, norm in zip(
            layers_of(model, nn.Conv2d), layers_of(model, nn.BatchNorm2d)):
        x = F.conv2d(x, conv.weight, conv.bias, stride=2, padding=2)
        x = normalized(x, norm).relu()
    assert x.shape == (4, 256, 4, 4)
    hidden, = layers_of(model, nn.Linear)
    x = F.linear(x.flatten(1), hidden.weight, hidden.bias)
    norm, = layers_of(model, nn.BatchNorm1d)
    features, = model(inputs)
    assert features.shape == (4, 512)
    torch.testing.assert_close(features, normalized(x, norm).relu())


def test_dtn_drops_what_is_published():
    model = DigitsDTN()
    assert [m.p for m in layers_of(model, nn.Dropout2d)] == [0.1, 0.3, 0.5]
    assert [m.p for m in layers_of(model, nn.Dropout)] == [0.5]


@pytest.mark.parametrize('wrong', [
    dict(channels=(64, 128)), dict(dropout=(0.1, 0.3, 0.5, 0.5))
])
def test_dtn_has_three_convolutions(wrong):
    name, value = next(iter(wrong.items()))
    with pytest.raises(ValueError, match=f'`{name}` .* 3 items.*got {value}'
                       .replace('(', r'\(').replace(')', r'\)')):
        DigitsDTN(**wrong)


def test_lenet_without_a_hidden_layer_gives_what_enters_it():
    whole = DigitsLeNet(hidden_channels=500).eval()
    start = DigitsLeNet().eval()
    start.load_state_dict(whole.state_dict(), strict=False)
    hidden, = layers_of(whole, nn.Linear)
    x = images(28)
    features, = start(x)
    assert features.shape == (4, 800)
    expected = F.linear(features, hidden.weight, hidden.bias).relu()
    assert expected.shape == (4, 500)
    torch.testing.assert_close(whole(x)[0], expected)


def test_hidden_layer_of_lenet_has_dropout():
    model = DigitsLeNet(dropout=0.3, hidden_channels=8)
    assert [m.p for m in layers_of(model, nn.Dropout)] == [0.3]
    assert not layers_of(DigitsLeNet(), nn.Dropout)


@pytest.mark.parametrize('batch_norm, count', [(True, 2), (False, 0)])
def test_batch_norm_of_lenet_is_a_switch(batch_norm, count):
    model = DigitsLeNet(batch_norm=batch_norm)
    assert len(layers_of(model, nn.BatchNorm2d)) == count
