"""What the UDA heads without parameters have in common."""
from __future__ import annotations

import pytest
import torch
from mmengine.optim import build_optim_wrapper
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample

from mmgh.datasets.domain_pair_dataset import DomainPair
from mmgh.models import AFNHead, DANHead, DeepCORALHead, DomainOutput, JANHead
from mmgh.task_losses import get_task_losses

HEADS = [
    (DANHead, {}),
    (DANHead, dict(linear=True)),
    (JANHead, {}),
    (JANHead, dict(linear=True)),
    (DeepCORALHead, {}),
    (DeepCORALHead, dict(align_means=True)),
    (AFNHead, {}),
    (AFNHead, dict(entropy_weight=0.1)),
]
every_head = pytest.mark.parametrize('head_type, kwargs', HEADS)


def total_loss(head, *outputs) -> torch.Tensor:
    losses = head.loss(*outputs)
    return sum(value for name, value in losses.items() if 'loss' in name)


def domain_outputs(features, logits) -> list[DomainOutput]:
    """Leaves of the graph, from values for each domain."""
    return [
        DomainOutput(f.clone().requires_grad_(), y.clone().requires_grad_())
        for f, y in zip(features, logits)
    ]


@every_head
def test_nothing_is_trained_or_saved(head_type, kwargs):
    head = head_type(6, 3, **kwargs)
    assert not head.state_dict()
    assert head.tasks.keys() >= {
        name
        for name in head.loss(
            *domain_outputs(torch.randn(2, 4, 6), torch.randn(2, 4, 3)))
        if 'loss' in name
    }


@pytest.mark.parametrize('head_type, kwargs', HEADS[:6])
def test_a_step_of_the_features_aligns_them(head_type, kwargs):
    head = head_type(6, 3, **kwargs)
    features = torch.randn(2, 16, 6)
    features[1] = 2 * features[1] + 1
    outputs = domain_outputs(features, torch.zeros(2, 16, 3))
    loss = total_loss(head, *outputs)
    loss.backward()
    moved = [
        output._replace(features=output.features - 0.1 * output.features.grad)
        for output in outputs
    ]
    assert total_loss(head, *moved) < loss


DEGENERATE = {
    'two images': (torch.randn(2, 2, 6), torch.randn(2, 2, 3)),
    'identical features': (torch.ones(2, 4, 6), torch.randn(2, 4, 3)),
    'zero features': (torch.zeros(2, 4, 6), torch.zeros(2, 4, 3)),
    'almost identical': (1 + 1e-6 * torch.randn(2, 4, 6), torch.ones(2, 4, 3)),
    'domains far apart': (torch.tensor([0., 1e6]).reshape(2, 1, 1) +
                          torch.randn(2, 4, 6), torch.randn(2, 4, 3)),
    'tiny features': (1e-20 * torch.randn(2, 4, 6), torch.randn(2, 4, 3)),
    'confident, one class': (torch.randn(2, 4, 6), torch.tensor(
        [1e4, 0., -1e4]).expand(2, 4, 3)),
}


@every_head
@pytest.mark.parametrize('case', DEGENERATE)
def test_degenerate_batches_are_finite(head_type, kwargs, case):
    outputs = domain_outputs(*DEGENERATE[case])
    loss = total_loss(head_type(6, 3, **kwargs), *outputs)
    loss.backward()
    assert loss.isfinite()
    for output in outputs:
        assert output.features.grad.isfinite().all()
        assert output.logits.grad is None or output.logits.grad.isfinite().all(
        )


def make_model(head_type, kwargs):
    return MODELS.build(
        dict(
            type='mmgh.UDAClassifier',
            backbone=dict(type='mmgh.DigitsLeNet', channels=(4, 4)),
            head=dict(type='LinearClsHead', in_channels=64, num_classes=3),
            uda_head=dict(type=f'mmgh.{head_type.__name__}', **kwargs),
            data_preprocessor=dict(mean=[127.5] * 3, std=[127.5] * 3)))


def make_batch() -> DomainPair:
    inputs = torch.randint(0, 256, (2, 6, 3, 28, 28), dtype=torch.uint8)
    samples = [DataSample().set_gt_label(i % 3) for i in range(6)]
    return DomainPair(
        source=dict(inputs=inputs[0], data_samples=samples),
        target=dict(inputs=inputs[1]))


@every_head
def test_uda_losses_are_the_task_alignment(head_type, kwargs):
    model = make_model(head_type, kwargs)
    data = model.data_preprocessor(make_batch(), True)
    total, log_vars = model.parse_losses(model(**data, mode='loss'))
    tasks = get_task_losses(total)
    assert list(tasks) == ['alignment', 'cls']
    torch.testing.assert_close(tasks['alignment'], total - tasks['cls'])
    assert log_vars.keys() > head_type.tasks.keys() - {'loss_entropy'}


@every_head
@pytest.mark.parametrize('probe', [None, 'parameters', 'features'])
def test_trains_under_each_wrapper(head_type, kwargs, probe):
    model = make_model(head_type, kwargs)
    config = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.01))
    if probe:
        config.update(
            type='mmgh.GHOptimWrapper',
            harmonizer=dict(type='mmgh.GHPlusPlus'),
            probe=probe)
    wrapper = build_optim_wrapper(model, config)
    wrapper.initialize_count_status(model, 0, 10)
    before = [parameter.clone() for parameter in model.parameters()]
    for _ in range(2):
        model.train_step(make_batch(), wrapper)
    for parameter, old in zip(model.parameters(), before):
        assert parameter.isfinite().all()
    assert not torch.equal(model.backbone.layers[0].weight, before[0])
