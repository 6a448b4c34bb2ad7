"""Every UDA head with every probe: a step on a GPU is that of the CPU."""
from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from ..test_models.every_head import HEADS
from ..test_models.test_every_head_trains import (WRAPPERS, make_batch,
                                                  make_model, wrap)

STEPS = 2


def trained(entry, model, wrapper: str, device: str, message_hub) -> dict:
    """Weights and the log after some steps."""
    message_hub.log_scalars.clear()
    model = copy.deepcopy(model).to(device)
    optim_wrapper = wrap(model, entry, wrapper)
    for i in range(STEPS):
        torch.manual_seed(i)
        model.train_step(make_batch(), optim_wrapper)
    assert {value.device.type for value in (*model.parameters(),
                                            *model.buffers())} == {device}
    return dict(
        weights={
            name: value.cpu()
            for name, value in model.state_dict().items()
        },
        log={
            name: torch.as_tensor(buffer.data[0].tolist())
            for name, buffer in message_hub.log_scalars.items()
        })


@pytest.mark.parametrize('entry', HEADS, ids=repr)
@pytest.mark.parametrize('wrapper', WRAPPERS)
def test_steps_are_those_of_the_cpu(entry, wrapper, device, full_float32,
                                    message_hub):
    model = make_model(entry)
    for module in model.modules():
        if isinstance(module, (nn.Dropout, nn.Dropout2d)):
            module.p = 0.  # a GPU has other random numbers
    expected = trained(entry, model, wrapper, 'cpu', message_hub)
    result = trained(entry, model, wrapper, device, message_hub)
    torch.testing.assert_close(
        result['weights'], expected['weights'], rtol=1e-3, atol=1e-4)
    assert bool(expected['log']) == (wrapper != 'stock')
    torch.testing.assert_close(
        result['log'], expected['log'], rtol=1e-2, atol=1e-2)
