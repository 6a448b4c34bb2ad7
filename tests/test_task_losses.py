"""The contract between models and optim wrappers."""
from __future__ import annotations

import pytest
import torch
from mmengine.model import BaseModel
from mmengine.optim import OptimWrapper
from torch import nn

from mmgh.task_losses import TaskLossMixin, attach_task_losses, get_task_losses


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
