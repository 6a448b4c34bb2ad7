"""What else an MMEngine user combines, against the stock wrapper.

With a harmonizer that always doubles, a run should equal one with the stock
wrapper on twice the loss, whatever else is configured.
"""
from __future__ import annotations

from pathlib import Path

import pytest
import torch
from mmengine.hooks import EMAHook
from mmengine.model import MMDistributedDataParallel
from mmengine.runner import Runner
from torch import nn
from torch.utils.checkpoint import checkpoint

from mmgh.optim import GHOptimWrapper
from mmgh.task_losses import map_task_losses
from ..processes import on_two_ranks
from .two_task_model import TwoTaskModel, make_batch, make_model

PROBES = dict(
    parameters=dict(probe='parameters'),
    modules=dict(probe='modules', shared=['trunk']),
    features=dict(probe='features'))


class DoubledModel(TwoTaskModel):

    def parse_losses(self, losses):
        total, log_vars = super().parse_losses(losses)
        return map_task_losses(total, lambda loss: 2 * loss), log_vars


class Deeper(nn.Sequential):
    """A trunk whose first layers may be recomputed."""

    def __init__(self, first: nn.Module, recomputed: bool) -> None:
        super().__init__(first, nn.Linear(8, 8), nn.Tanh())
        self.recomputed = recomputed

    def forward(self, inputs):
        if not self.recomputed:
            return super().forward(inputs)
        return checkpoint(super().forward, inputs, use_reentrant=False)


def make(doubled: bool, frozen=False, recomputed=False) -> TwoTaskModel:
    model = make_model(conflict=True)
    model.trunk = Deeper(model.trunk, recomputed)
    if frozen:
        model.trunk[0].requires_grad_(False)
    model.__class__ = DoubledModel if doubled else TwoTaskModel
    return model


def train(model, work_dir: Path, wrapper: dict, **options) -> Runner:
    batches = [make_batch(1, seed=i) for i in range(24)]
    samples = [{k: v[0] for k, v in batch.items()} for batch in batches]
    runner = Runner(
        model,
        work_dir=str(work_dir),
        train_dataloader=dict(
            dataset=samples,
            batch_size=4,
            sampler=dict(type='mmengine.DefaultSampler', shuffle=False),
            collate_fn=dict(type='default_collate')),
        train_cfg=dict(by_epoch=True, max_epochs=2),
        optim_wrapper=dict(
            optimizer=dict(
                type='SGD', lr=0.01, momentum=0.9, weight_decay=0.1),
            **wrapper),
        default_hooks=dict(logger=None, checkpoint=None),
        experiment_name=f'{work_dir.name}_{wrapper["type"]}',
        **options)
    runner.train()
    return runner


COMBINATIONS = dict(
    ema=dict(
        custom_hooks=[dict(type='EMAHook', momentum=0.1)]),
    clip_norm=dict(clip_grad=dict(max_norm=0.5)),
    clip_value=dict(clip_grad=dict(type='value', clip_value=0.05)),
    paramwise=dict(
        paramwise_cfg=dict(
            bias_lr_mult=2.,
            custom_keys={
                'trunk': dict(lr_mult=0.1),
                'discriminator': dict(lr_mult=10, decay_mult=0)
            })),
    accumulation=dict(accumulative_counts=2),
    frozen=dict(frozen=True),
    recomputed=dict(recomputed=True))


@pytest.mark.parametrize('probe', PROBES)
@pytest.mark.parametrize('name', COMBINATIONS)
def test_combination_equals_the_stock_wrapper(name, probe, tmp_path):
    options = dict(COMBINATIONS[name])
    hooks = dict(custom_hooks=options.pop('custom_hooks', None))
    model = {k: options.pop(k) for k in ('frozen', 'recomputed')
             if k in options}
    gh = train(
        make(doubled=False, **model), tmp_path,
        dict(
            type='mmgh.GHOptimWrapper',
            harmonizer=lambda gramian: torch.full((2, ), 2.),
            **PROBES[probe],
            **options), **hooks)
    stock = train(
        make(doubled=True, **model), tmp_path,
        dict(type='mmengine.OptimWrapper', **options), **hooks)
    start = make(False, **model).state_dict()
    for key, value in stock.model.state_dict().items():
        moves = not (name == 'frozen' and key.startswith('trunk.0'))
        assert torch.equal(value, start[key]) != moves
        torch.testing.assert_close(gh.model.state_dict()[key], value)
    if name == 'ema':
        averages = [averaged(runner) for runner in (gh, stock)]
        torch.testing.assert_close(*averages)
        assert not torch.allclose(averages[0]['module.trunk.1.weight'],
                                  gh.model.trunk[1].weight)


def averaged(runner: Runner) -> dict:
    hook, = (h for h in runner.hooks if isinstance(h, EMAHook))
    return hook.ema_model.state_dict()


@pytest.mark.parametrize('probe', PROBES)
def test_anomalous_parameters_are_named(probe):
    for messages in on_two_ranks(anomalies, probe):
        assert len(messages) == 1 and 'unused.weight' in messages[0]


def anomalies(rank: int, probe: str) -> list[str]:
    """What MMEngine says of a step with a parameter that no task reaches."""
    messages = []
    model = make_model(conflict=True)
    model.unused = nn.Linear(2, 3, bias=False)
    wrapped = MMDistributedDataParallel(
        model, detect_anomalous_params=True, find_unused_parameters=True)
    wrapper = GHOptimWrapper(
        optimizer=torch.optim.SGD(model.parameters(), lr=0.01),
        harmonizer=dict(type='mmgh.GH'),
        **PROBES[probe])
    wrapper.initialize_count_status(wrapped, 0, 10)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr('mmengine.model.utils.print_log',
                      lambda message, **kwargs: messages.append(message))
        wrapped.train_step(make_batch(), wrapper)
    return messages


@pytest.mark.parametrize('probe', PROBES)
@pytest.mark.parametrize('counts', [1, 2])
def test_compiled_training_equals_plain_training(probe, counts, message_hub):
    """As MMEngine compiles: the whole of ``train_step``."""
    logs = []
    for compiled in (False, True):
        torch.compiler.reset()
        message_hub.log_scalars.clear()
        model = make(doubled=False)
        step = model.train_step
        if compiled:
            step = torch.compile(step, backend='aot_eager')
        wrapper = GHOptimWrapper(
            optimizer=torch.optim.SGD(model.parameters(), lr=0.002),
            harmonizer=dict(type='mmgh.GHPlusPlus'),
            accumulative_counts=counts,
            **PROBES[probe])
        wrapper.initialize_count_status(model, 0, 4)
        for i in range(4):
            step(make_batch(seed=i), wrapper)
        logs.append({
            name: buffer.data[0].tolist()
            for name, buffer in message_hub.log_scalars.items()
        })
    assert logs[0]['train/angle'][0] > 91
    for name, values in logs[0].items():
        assert logs[1][name] == pytest.approx(values, rel=1e-4)
