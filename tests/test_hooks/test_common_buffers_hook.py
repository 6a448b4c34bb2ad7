"""CommonBuffersHook: several processes validate what they save."""
from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import pytest
import torch
from mmengine.dataset import DefaultSampler, InfiniteSampler
from mmengine.evaluator import BaseMetric
from mmengine.hooks import CheckpointHook, Hook
from mmengine.model import BaseModel, MMDistributedDataParallel
from mmengine.runner import Runner
from torch import Tensor, nn

from mmgh.hooks.saved_models import saves_after_iter
from ..processes import on_two_ranks

ITERATIONS = 6


class Model(BaseModel):
    """Normalises; counts, and remembers what came last."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(3)
        self.linear = nn.Linear(3, 1)
        self.register_buffer('last', torch.zeros(3))

    def forward(self, inputs: Tensor, mode: str = 'loss'):
        outputs = self.linear(self.norm(inputs))
        if mode == 'predict':
            return list(outputs)
        self.last.copy_(inputs[0])
        return dict(loss=outputs.square().mean())


class Nothing(BaseMetric):

    def process(self, data_batch, data_samples) -> None:
        self.results.append(0)

    def compute_metrics(self, results) -> dict:
        return dict(nothing=0.)


class Record(Hook):
    """Notes buffers after each iteration, before others act, and as they are
    validated."""

    priority = 'NORMAL'

    def __init__(self) -> None:
        self.trained, self.validated = [], {}

    def after_train_iter(self, runner, *args, **kwargs) -> None:
        self.trained.append(buffers(runner.model.module))

    def before_val_iter(self, runner, *args, **kwargs) -> None:
        self.validated[runner.iter] = buffers(runner.model.module)


def buffers(model: nn.Module) -> dict[str, Tensor]:
    return {k: v.clone() for k, v in model.named_buffers()}


def train(rank: int, work_dir: str, hooks: list[dict], by_epoch: bool) -> dict:
    torch.manual_seed(0)
    images = torch.randn(24, 3).cumsum(0)
    data = dict(
        dataset=[dict(inputs=image) for image in images],
        batch_size=4,
        collate_fn=dict(type='default_collate'))
    sampler = DefaultSampler if by_epoch else InfiniteSampler
    record = Record()
    loop = (dict(by_epoch=True, max_epochs=2) if by_epoch else dict(
        by_epoch=False, max_iters=ITERATIONS, val_interval=2))
    runner = Runner(
        MMDistributedDataParallel(Model(), broadcast_buffers=False),
        work_dir=work_dir,
        train_dataloader=dict(data, sampler=dict(type=sampler)),
        val_dataloader=dict(data, sampler=dict(type=DefaultSampler)),
        train_cfg=loop,
        val_cfg=dict(),
        val_evaluator=[Nothing()],
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.01)),
        default_hooks=dict(
            logger=None,
            checkpoint=dict(
                type='CheckpointHook', by_epoch=by_epoch,
                interval=1 if by_epoch else 3)),
        custom_hooks=[record, *hooks],
        experiment_name='common_buffers')
    runner.train()
    return dict(trained=record.trained, validated=record.validated)


def run(hooks: list[dict], by_epoch: bool = False) -> tuple[list, dict]:
    """What both ranks saw, and the checkpoints."""
    with TemporaryDirectory() as folder:
        ranks = on_two_ranks(train, folder, hooks, by_epoch)
        saved = {
            int(path.stem.split('_')[1]): torch.load(path)
            for path in Path(folder).glob('*_*.pth')
        }
    return ranks, saved


HOOK = dict(type='mmgh.CommonBuffersHook')


@pytest.fixture(scope='module')
def with_hook() -> tuple[list, dict]:
    return run([HOOK])


@pytest.fixture(scope='module')
def without() -> tuple[list, dict]:
    return run([])


def assert_same(first: dict, second: dict) -> None:
    torch.testing.assert_close(first, second, rtol=0, atol=0)


def weights_of(checkpoint: dict) -> dict:
    return {
        name: checkpoint['state_dict'][name]
        for name in ('norm.running_mean', 'norm.running_var',
                     'norm.num_batches_tracked', 'last')
    }


def test_ranks_validate_what_they_save(with_hook):
    ranks, saved = with_hook
    assert set(saved) == {3, 6} and set(ranks[0]['validated']) == {2, 4, 6}
    for iteration in (2, 4, 6):
        one, two = (rank['validated'][iteration] for rank in ranks)
        assert_same(one, two)
        before = [rank['trained'][iteration - 1] for rank in ranks]
        for name in ('norm.running_mean', 'norm.running_var'):
            assert not torch.equal(before[0][name], before[1][name])
            torch.testing.assert_close(
                one[name], (before[0][name] + before[1][name]) / 2)
        assert_same(one['last'], before[0]['last'])
        assert not torch.equal(before[0]['last'], before[1]['last'])
    assert_same(weights_of(saved[6]), ranks[0]['validated'][6])


def test_statistics_are_those_of_all_batches(with_hook, without):
    """Running means are linear: however often they were averaged over the
    ranks, they are the mean of what each rank has by itself."""
    (together, _), (apart, _) = with_hook, without
    for name in ('norm.running_mean', 'norm.running_var'):
        torch.testing.assert_close(
            together[0]['validated'][6][name],
            sum(rank['validated'][6][name] for rank in apart) / 2)


def test_also_by_epoch_and_with_averaged_weights():
    ema = dict(type='EMAHook', momentum=0.5, update_buffers=True)
    ranks, saved = run([HOOK, ema], by_epoch=True)
    for (iteration, one), two in zip(ranks[0]['validated'].items(),
                                     ranks[1]['validated'].values()):
        assert_same(one, two)
        epoch = saved[iteration // 3]
        assert_same(weights_of(epoch), one)
        raw = epoch['ema_state_dict']['module.norm.running_mean']
        assert not torch.equal(raw, one['norm.running_mean'])
    assert set(saved) == {1, 2}


@pytest.mark.parametrize('options', [
    dict(interval=4),
    dict(interval=4, save_begin=6),
    dict(interval=4, save_last=False),
    dict(interval=-1),
    dict(interval=-1, save_last=False),
    dict(interval=1, by_epoch=True),
])
def test_knows_when_a_checkpoint_is_due(options, monkeypatch, caplog):
    saved = []
    monkeypatch.setattr(CheckpointHook, '_save_checkpoint',
                        lambda self, runner: saved.append(runner.iter))
    hook = CheckpointHook(**dict(dict(by_epoch=False), **options))
    logger = SimpleNamespace(info=lambda text: None)
    expected = []
    for iteration in range(10):
        runner = SimpleNamespace(
            iter=iteration, max_iters=10, hooks=[Hook(), hook], logger=logger)
        if saves_after_iter(runner):
            expected.append(iteration)
        hook.after_train_iter(runner, iteration)
    assert expected == saved
