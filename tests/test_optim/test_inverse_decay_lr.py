"""InverseDecayLR against its formula."""
from __future__ import annotations

import pytest
import torch
from mmengine.optim import LinearLR
from torch.optim import SGD

from mmgh.optim import InverseDecayLR


def make_optimizer():
    groups = [dict(params=[torch.nn.Parameter(torch.ones(1))], lr=lr)
              for lr in (0.1, 0.01)]
    return SGD(groups, lr=0.1)


@pytest.mark.parametrize('kwargs', [{}, dict(gamma=0.01, power=0.5)])
def test_follows_the_formula_in_each_group(kwargs):
    optimizer = make_optimizer()
    schedule = InverseDecayLR(optimizer, by_epoch=False, **kwargs)
    gamma, power = kwargs.get('gamma', 0.001), kwargs.get('power', 0.75)
    for i in range(3000):
        for group, base in zip(optimizer.param_groups, (0.1, 0.01)):
            assert group['lr'] == pytest.approx(
                base * (1 + gamma * i)**-power, rel=1e-9)
        optimizer.step()
        schedule.step()


def test_goes_on_after_a_resume():
    optimizer, twin = make_optimizer(), make_optimizer()
    schedule = InverseDecayLR(optimizer, by_epoch=False)
    resumed = InverseDecayLR(twin, by_epoch=False)
    for _ in range(10):
        optimizer.step()
        schedule.step()
    resumed.load_state_dict(schedule.state_dict())
    twin.load_state_dict(optimizer.state_dict())
    for _ in range(5):
        optimizer.step(), schedule.step()
        twin.step(), resumed.step()
        assert optimizer.param_groups[1]['lr'] == twin.param_groups[1]['lr']


def test_combines_with_a_warmup():
    optimizer = make_optimizer()
    schedules = [
        LinearLR(optimizer, start_factor=0.1, end=11, by_epoch=False),
        InverseDecayLR(optimizer, by_epoch=False)
    ]
    for _ in range(100):
        optimizer.step()
        for schedule in schedules:
            schedule.step()
    assert optimizer.param_groups[0]['lr'] == pytest.approx(
        0.1 * 1.1**-0.75, rel=1e-6)


@pytest.mark.parametrize('kwargs', [dict(gamma=-1), dict(power=-0.1)])
def test_negative_options_are_refused(kwargs):
    name, = kwargs
    with pytest.raises(ValueError, match=f'`{name}`.*at least 0.*got -'):
        InverseDecayLR(make_optimizer(), **kwargs)


def test_by_epoch_converted_to_iterations_meets_each_epoch():
    optimizer = make_optimizer()
    schedule = InverseDecayLR.build_iter_from_epoch(
        optimizer, gamma=0.5, begin=0, end=4, epoch_length=10)
    for i in range(60):
        epochs = min(i, 39) / 10
        assert optimizer.param_groups[0]['lr'] == pytest.approx(
            0.1 * (1 + 0.5 * epochs)**-0.75)
        optimizer.step()
        schedule.step()


def test_only_epochs_are_converted():
    with pytest.raises(ValueError, match='`by_epoch` should be True'):
        InverseDecayLR.build_iter_from_epoch(
            make_optimizer(), by_epoch=False, epoch_length=10)
