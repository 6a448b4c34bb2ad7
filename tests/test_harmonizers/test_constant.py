"""Constant weights, by the names of tasks."""
from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.optim import SGD

from mmgh.harmonizers import Constant
from mmgh.optim import GHOptimWrapper
from mmgh.task_losses import attach_task_losses


def gradient_with(weights: dict, pairs=None) -> list[float]:
    weight = nn.Parameter(torch.ones(()))
    parts = dict(alignment=2 * weight, cls=3 * weight, other=5 * weight)
    wrapper = GHOptimWrapper(
        optimizer=SGD([weight], lr=1.), harmonizer=Constant(weights))
    wrapper.backward(
        attach_task_losses(sum(parts.values()), parts, pairs=pairs))
    return weight.grad.item()


@pytest.mark.parametrize('pairs', [None, [('cls', 'alignment')]])
def test_weights_are_those_of_the_names(pairs, message_hub):
    """In any order, also where the model pairs its tasks, and unbounded."""
    assert gradient_with(dict(cls=0.5), pairs) == 8.5
    assert gradient_with(dict(alignment=100., other=-1.), pairs) == 198
    assert gradient_with({}, pairs) == 10


def test_a_wrong_name_is_refused():
    with pytest.raises(ValueError, match=r"`weights`.*got \['alignmnt'\]"):
        gradient_with(dict(alignmnt=1.001))


@pytest.mark.parametrize('value', ['1', None, True, float('nan')])
def test_weights_are_finite_numbers(value):
    with pytest.raises((TypeError, ValueError),
                       match=f"`weights`.*finite.*'cls': {value!r}"):
        Constant(dict(cls=value))
