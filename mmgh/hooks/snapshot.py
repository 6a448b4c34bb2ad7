"""The state of a training at one moment, to go back to."""
from __future__ import annotations

import copy

import torch
from mmengine.runner.checkpoint import weights_to_cpu
from mmengine.utils import apply_to
from torch import Tensor

from mmgh.unwrap import unwrap

# Parts of an optim wrapper's state that follow the schedule.
_SCHEDULED = ('param_groups', 'base_param_settings')


def take_snapshot(runner) -> dict:
    """Copy the state of the model and of the optim wrapper.

    Learning rates and other options are left out: they follow the schedule.

    Returns:
        dict: ``model`` and ``optimizer``, on the CPU; a checkpoint may hold
        it.
    """
    optimizer = {
        name: value
        for name, value in runner.optim_wrapper.state_dict().items()
        if name not in _SCHEDULED
    }
    # What is on the CPU already would be the live tensors without a copy.
    return copy.deepcopy(
        dict(
            model=weights_to_cpu(unwrap(runner.model).state_dict()),
            optimizer=apply_to(optimizer, torch.is_tensor, Tensor.cpu)))


def restore_snapshot(runner, snapshot: dict) -> None:
    """Bring back the state, in place, and drop gradients not stepped with.

    Args:
        runner (Runner): As given to hooks.
        snapshot (dict): From :func:`take_snapshot`. It may be restored again.
    """
    unwrap(runner.model).load_state_dict(snapshot['model'])
    wrapper = runner.optim_wrapper
    scheduled = {
        name: value
        for name, value in wrapper.state_dict().items() if name in _SCHEDULED
    }
    # A copy: the optimizer goes on with the very tensors that it is given.
    wrapper.load_state_dict({
        **scheduled,
        **copy.deepcopy(snapshot['optimizer'])
    })
    wrapper.zero_grad()
