"""Every harmonizer weighs, remembers and goes on, on a GPU as on a CPU."""
from __future__ import annotations

import io

import pytest
import torch
from torch import Tensor

from ..test_harmonizers.every_harmonizer import HARMONIZERS

CASES = [(entry, number) for entry in HARMONIZERS
         for number in entry.numbers_of_tasks]


def gramian(number: int, index: int) -> Tensor:
    """Of gradients that conflict."""
    generator = torch.Generator().manual_seed(index)
    gradients = torch.randn(number, 5, generator=generator)
    gradients[0] -= 2 * gradients[1]
    return gradients @ gradients.T


def seeded(harmonizer, gramian: Tensor) -> Tensor:
    """Its weights; some look at the tasks in a random order."""
    torch.manual_seed(0)
    return harmonizer(gramian)


@pytest.mark.parametrize('entry, number', CASES, ids=str)
def test_weights_are_those_of_the_cpu(entry, number, device):
    on_cpu, on_device = entry.build(number), entry.build(number)
    for index in range(4):
        expected, weights = (
            seeded(harmonizer, gramian(number, index).to(place))
            for harmonizer, place in ((on_cpu, 'cpu'), (on_device, device)))
        assert weights.device.type == device
        torch.testing.assert_close(weights.cpu(), expected)


def through_a_file(state: dict) -> dict:
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


@pytest.mark.parametrize('entry, number', CASES, ids=str)
@pytest.mark.parametrize('way', ['gpu to cpu', 'cpu to gpu'])
def test_training_goes_on_elsewhere(entry, number, way, device):
    """``torch.load`` with or without ``map_location``."""
    first, then = {
        'gpu to cpu': (device, 'cpu'),
        'cpu to gpu': ('cpu', device)
    }[way]
    whole, begun, resumed = (entry.build(number) for _ in range(3))
    expected = [seeded(whole, gramian(number, i)) for i in range(4)]
    for i in (0, 1):
        seeded(begun, gramian(number, i).to(first))
    state = through_a_file(begun.state_dict())
    if state:  # else there is no memory, and the new one is as good
        resumed.load_state_dict(state)
    for i in (2, 3):
        weights = seeded(resumed, gramian(number, i).to(then))
        torch.testing.assert_close(weights.cpu(), expected[i])
