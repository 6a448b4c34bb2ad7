"""Models of mmpretrain that a config marks are harmonized exactly."""
from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.model import BaseModel, MMDistributedDataParallel
from mmengine.registry import OPTIM_WRAPPERS
from torch import Tensor, nn
from torch.optim import SGD

from mmgh.task_losses import TaskMarked
from ..marked_models import (DENSE_CL, MULTI_TASK, OF_DENSE_CL, OF_MULTI_TASK,
                             dense_cl_batch, marked, multi_task_batch, plain)
from ..processes import on_two_ranks
from .two_task_model import make_batch

LR = 0.1


def lengths(gramian: Tensor) -> Tensor:
    """Weights that depend on all of the Gramian, conflict or not."""
    return 1 / (1 + gramian.sum(1).abs().sqrt())


def wrapper_of(model: nn.Module, harmonizer=lengths, **options):
    return OPTIM_WRAPPERS.build(
        dict(
            type='mmgh.GHOptimWrapper',
            optimizer=SGD(model.parameters(), lr=LR),
            harmonizer=harmonizer,
            max_weight=float('inf'),
            **options))


def change(model: nn.Module, batch: dict, **options) -> dict[str, Tensor]:
    """The gradient that one harmonized step went along."""
    before = {k: p.detach().clone() for k, p in model.named_parameters()}
    torch.manual_seed(5)
    model.train_step(batch, wrapper_of(model, **options))
    return {
        name: (before[name] - parameter.detach()) / LR
        for name, parameter in model.named_parameters()
    }


def rows(losses: list[Tensor], inputs: list[Tensor]) -> Tensor:
    """Gradients of each loss, one row a loss."""
    return torch.stack([
        torch.cat([
            grad.flatten() for grad in torch.autograd.grad(
                loss, inputs, retain_graph=True, materialize_grads=True)
        ]) for loss in losses
    ])


def expected(model: nn.Module, losses: list[Tensor],
             weights: Tensor) -> dict[str, Tensor]:
    """w^T J over all parameters, by hand."""
    names, parameters = zip(*(item for item in model.named_parameters()
                              if item[1].requires_grad))
    gradient = weights @ rows(losses, parameters)
    parts = gradient.split([parameter.numel() for parameter in parameters])
    return {
        name: part.view_as(parameter)
        for name, part, parameter in zip(names, parts, parameters)
    }


def losses_of_multi_task(model: nn.Module, batch: dict, at: str):
    """Both losses and the features, part by part."""
    features = at_backbone = model.backbone(batch['inputs'])
    at_neck = model.neck(at_backbone)
    losses = model.head.loss(at_neck, batch['data_samples'])
    features = dict(backbone=at_backbone, neck=at_neck)[at]
    return [losses['digit_loss'], losses['parity_loss']], list(features)


@pytest.mark.parametrize('at', ['backbone', 'neck'])
def test_step_of_a_multi_task_head_by_the_gradients_of_features(at):
    model, batch = plain(MULTI_TASK), multi_task_batch()
    losses, features = losses_of_multi_task(model, batch, at)
    jacobian = rows(losses, features)
    weights = lengths(jacobian @ jacobian.T)
    assert (weights[0] - weights[1]).abs() > 1e-2
    found = change(
        marked(MULTI_TASK, OF_MULTI_TASK, features=at),
        batch,
        probe='features')
    torch.testing.assert_close(
        found, expected(model, losses, weights), rtol=1e-4, atol=1e-5)


def test_step_of_a_multi_task_head_by_the_gradients_of_parameters():
    model, batch = plain(MULTI_TASK), multi_task_batch()
    losses, _ = losses_of_multi_task(model, batch, 'neck')
    jacobian = rows(losses, list(model.backbone.parameters()))
    weights = lengths(jacobian @ jacobian.T)
    found = change(marked(MULTI_TASK, OF_MULTI_TASK), batch)
    torch.testing.assert_close(
        found, expected(model, losses, weights), rtol=1e-4, atol=1e-5)


def test_step_of_a_self_supervised_method_by_the_gradients_of_features():
    """Of the queries alone: the keys have no gradient."""
    model, batch = plain(DENSE_CL), dense_cl_batch()
    outputs = []
    model.backbone.register_forward_hook(
        lambda module, inputs, output: outputs.extend(output))
    torch.manual_seed(5)
    losses = model.loss(**batch)
    losses = [losses['loss_single'], losses['loss_dense']]
    jacobian = rows(losses, outputs)
    weights = lengths(jacobian @ jacobian.T)
    assert (weights[0] - weights[1]).abs() > 1e-2
    found = change(
        marked(DENSE_CL, OF_DENSE_CL, features='backbone'),
        batch,
        probe='features')
    by_hand = expected(model, losses, weights)
    torch.testing.assert_close({name: found[name] for name in by_hand},
                               by_hand, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize('model, tasks, batch', [
    (MULTI_TASK, OF_MULTI_TASK, multi_task_batch),
    (DENSE_CL, OF_DENSE_CL, dense_cl_batch),
], ids=['MultiTaskHead', 'DenseCL'])
@pytest.mark.parametrize('harmonizer', ['GH', 'GHPlusPlus'])
@pytest.mark.parametrize('probe', ['parameters', 'features'])
def test_they_train_and_log_their_conflict(model, tasks, batch, harmonizer,
                                           probe, message_hub):
    net = marked(model, tasks, features='backbone')
    wrapper = wrapper_of(
        net, harmonizer=dict(type=f'mmgh.{harmonizer}'), probe=probe)
    for _ in range(3):
        log = net.train_step(batch(), wrapper)
        assert all(torch.as_tensor(value).isfinite() for value in log.values())
    weights = [f'weight_{task}' for task in tasks.values()]
    for name in ('conflict', 'angle', *weights):
        assert message_hub.get_scalar(f'train/{name}').data[0].shape == (3, )


THREE = {'digit_*': 'digit', 'parity_*': 'parity', 'colour_*': 'colour'}
COLOURED = dict(
    MULTI_TASK,
    head=dict(
        MULTI_TASK['head'],
        task_heads=dict(
            MULTI_TASK['head']['task_heads'],
            colour=dict(type='mmpretrain.LinearClsHead', num_classes=2))))


def coloured_batch() -> dict:
    batch = multi_task_batch()
    for sample in batch['data_samples']:
        sample.set_field(sample.parity.clone(), 'colour')
    return batch


def test_pairs_of_the_model_are_harmonized(message_hub):
    pairs = [['colour', 'digit'], ['colour', 'parity']]
    net = marked(COLOURED, THREE, pairs=Config(dict(pairs=pairs)).pairs)
    net.train_step(
        coloured_batch(), wrapper_of(net, harmonizer=dict(type='mmgh.GH')))
    logged = {name for name in message_hub.log_scalars if 'conflict' in name}
    assert len(logged) >= 2 and all('colour' in name for name in logged)


def test_more_than_two_tasks_without_pairs_are_told():
    net = marked(COLOURED, THREE)
    with pytest.raises(ValueError, match="`pairs` should name the tasks.*it "
                       r"has \['colour', 'digit', 'parity'\]"):
        net.train_step(coloured_batch(),
                       wrapper_of(net, harmonizer=dict(type='mmgh.GH')))


def test_features_that_nobody_named_are_told():
    net = marked(MULTI_TASK, OF_MULTI_TASK)
    with pytest.raises(ValueError, match='name a module in `features` of'):
        net.train_step(multi_task_batch(), wrapper_of(net, probe='features'))


class TwoHeads(BaseModel):
    """As a model of another package, without batch norm."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.trunk = nn.Sequential(nn.Linear(4, 8), nn.Tanh())
        self.first, self.second = nn.Linear(8, 1), nn.Linear(8, 1)

    def forward(self, inputs, labels, mode='loss'):
        features = self.trunk(inputs)
        return dict(
            loss_first=F.mse_loss(self.first(features)[:, 0], labels),
            loss_second=F.mse_loss(self.second(features)[:, 0], -labels))


def run(rank: int, world_size: int, probe: str) -> dict:
    net = TaskMarked(
        TwoHeads(), {'*_first': 'a', '*_second': 'b'}, features='trunk')
    wrapped = MMDistributedDataParallel(net) if world_size > 1 else net
    wrapper = wrapper_of(net, probe=probe)
    for seed in range(3):
        batch = make_batch(seed=seed)
        wrapped.train_step(
            {name: value[rank::world_size] for name, value in batch.items()},
            wrapper)
    return net.state_dict()


@pytest.mark.parametrize('probe', ['parameters', 'features'])
def test_two_ranks_are_as_one(probe):
    whole = run(0, 1, probe)
    for state in on_two_ranks(run, 2, probe):
        torch.testing.assert_close(state, whole)
