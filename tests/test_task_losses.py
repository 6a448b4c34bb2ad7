"""The contract between models and optim wrappers."""
from __future__ import annotations

import pytest
import torch
from mmengine.model import BaseModel
from mmengine.optim import OptimWrapper
from torch import nn
from torch.optim import SGD

from mmgh.optim import GHOptimWrapper
from mmgh.task_losses import (TaskLossMixin, attach_task_losses, check_sum,
                              get_task_losses, take_apart)


class TwoBranches(TaskLossMixin, BaseModel):
    tasks = dict(loss_a='seg', loss_b='seg', loss_c='depth')

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([1., 2.]))

    def forward(self, inputs, mode='loss'):
        return dict(
            loss_a=self.weight.sum() * inputs,
            loss_b=[self.weight.square(), self.weight[0]],
            loss_c=self.weight.prod(),
            accuracy=torch.tensor(50.))


def test_attaching_returns_the_same_tensor():
    total = torch.tensor(3.)
    tasks = dict(a=torch.tensor(1.), b=torch.tensor(2.))
    assert attach_task_losses(total, tasks) is total
    assert get_task_losses(total) == tasks
    assert get_task_losses(torch.tensor(3.)) is None


def test_losses_are_summed_by_task():
    total, log_vars = TwoBranches().parse_losses(TwoBranches()(2.))
    tasks = get_task_losses(total)
    # (1 + 2) * 2 + mean(1, 4) + 1; 1 * 2
    assert {k: v.item() for k, v in tasks.items()} == dict(seg=9.5, depth=2)
    assert total.item() == 11.5
    assert log_vars['loss'].item() == 11.5
    assert log_vars['accuracy'].item() == 50


def test_gradients_of_the_tasks_add_up_to_that_of_the_total():
    model = TwoBranches()
    total, _ = model.parse_losses(model(2.))
    parts = [
        torch.autograd.grad(part, model.weight, retain_graph=True)[0]
        for part in get_task_losses(total).values()
    ]
    whole, = torch.autograd.grad(total, model.weight)
    torch.testing.assert_close(sum(parts), whole)


def test_stock_wrapper_trains_the_model_as_an_ordinary_sum():
    model, plain = TwoBranches(), TwoBranches()
    wrapper = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1))
    model.train_step(dict(inputs=2.), wrapper)

    losses = plain(2.)
    (losses['loss_a'] + losses['loss_b'][0].mean() + losses['loss_b'][1] +
     losses['loss_c']).backward()
    expected = plain.weight.detach() - 0.1 * plain.weight.grad
    torch.testing.assert_close(model.weight.detach(), expected)


def test_loss_without_a_task_is_refused():
    model = TwoBranches()
    model.tasks = dict(loss_a='seg', loss_b='seg')
    with pytest.raises(KeyError, match='TwoBranches.tasks.*`loss_c`'):
        model.parse_losses(model(2.))


def test_model_without_tasks_is_refused():

    class Forgetful(TaskLossMixin, BaseModel):

        def forward(self):
            pass

    with pytest.raises(KeyError, match='Forgetful.tasks.*`loss_a`'):
        Forgetful().parse_losses(dict(loss_a=torch.tensor(1.)))


@pytest.mark.parametrize('factor', [1e-4, 0.1])
def test_small_part_that_no_task_holds_is_refused(factor):
    weight = torch.ones((), requires_grad=True)
    losses = dict(a=2 * weight, b=0.3 * weight)
    total = sum(losses.values()) + factor * weight
    with pytest.raises(ValueError, match='should sum up to the total'):
        check_sum(take_apart(attach_task_losses(total, losses)))


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16,
                                   torch.float32])
def test_sum_in_another_order_is_no_other_sum(dtype):
    generator = torch.Generator().manual_seed(0)
    for _ in range(100):
        parts = torch.rand(10, generator=generator).to(dtype).requires_grad_()
        losses = dict(a=sum(parts[::2]), b=sum(parts[1::2]))
        check_sum(take_apart(attach_task_losses(sum(parts), losses)))


def test_part_that_is_0_at_first_is_found_later():
    """The first, the tenth, the hundredth loss are looked at."""
    weight = torch.ones((), requires_grad=True)
    wrapper = GHOptimWrapper(
        optimizer=SGD([weight], lr=0.), harmonizer=dict(type='mmgh.GH'))
    wrapper.initialize_count_status(nn.Module(), 0, 100)

    def step(i: int) -> None:
        losses = dict(a=2 * weight, b=0.3 * weight)
        wrapper.update_params(attach_task_losses(
            sum(losses.values()) + i * weight, losses))

    for i in range(9):
        step(i)
    with pytest.raises(ValueError, match='should sum up to the total'):
        step(9)


@pytest.mark.skipif(
    not hasattr(torch.autograd.graph.Node, '_input_metadata'),
    reason='this torch does not tell the type of what was summed up')
def test_losses_of_half_precision_may_be_summed_up_in_it():
    """The first two in bfloat16, as the total has them; each task has one."""
    generator = torch.Generator().manual_seed(0)
    for _ in range(50):
        first, second = torch.rand(2, generator=generator).bfloat16()
        third = torch.rand((), generator=generator).requires_grad_()
        a, b = first.requires_grad_(), second.requires_grad_()
        losses = dict(a=a + third, b=b + 0 * third)
        check_sum(take_apart(attach_task_losses((a + b) + third, losses)))


def test_whole_numbers_are_losses_too():
    losses = dict(a=torch.ones((), requires_grad=True), b=torch.tensor(2))
    check_sum(take_apart(attach_task_losses(sum(losses.values()), losses)))
