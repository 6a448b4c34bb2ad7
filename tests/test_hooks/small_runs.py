"""Trainings of a few iterations that remember what they have seen."""
from __future__ import annotations

from collections import Counter
from itertools import count
from pathlib import Path

import torch
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch.utils.data import Dataset

import mmgh.hooks  # noqa: F401
from mmgh.models.layers import GradientReversal

LOADED: Counter = Counter()
_NUMBERS = count()


class Images(Dataset):
    """Each image is its number, and one at random."""

    metainfo: dict = {}

    def __init__(self, size: int = 10) -> None:
        self.size = size

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> torch.Tensor:
        LOADED[index] += 1
        return torch.tensor([float(index), torch.rand(()).item()])


class Model(BaseModel):
    """Its loss depends on the images, and on a random number."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.linear = torch.nn.Linear(2, 1)
        self.reversal = GradientReversal()
        self.seen: list[list] = []

    def forward(self, inputs, mode: str = 'tensor'):
        if mode != 'loss':
            return [self.linear(inputs).mean().item()]
        self.seen.append(inputs.tolist())
        self.reversal.advance()
        return dict(loss=self.linear(inputs).square().mean() * torch.rand(()))

    def train_step(self, data, optim_wrapper):
        return super().train_step(dict(inputs=data), optim_wrapper)

    def val_step(self, data):
        return self(data, mode='predict')


class Score(BaseMetric):
    """Grows with training, whatever the model is."""

    def process(self, data_batch, data_samples) -> None:
        self.results += data_samples

    def compute_metrics(self, results) -> dict:
        return dict(score=float(results[0]))


class Killed(Exception):
    """Stands for a process that ends."""


class Kill(Hook):
    """Ends a training before it trains on an iteration, or validates it."""

    priority = 'HIGHEST'

    def __init__(self, iteration: int, validating: bool) -> None:
        self.iteration = iteration
        self.validating = validating

    def before_train_iter(self, runner, batch_idx, data_batch=None) -> None:
        if not self.validating and runner.iter == self.iteration:
            raise Killed

    def before_val(self, runner) -> None:
        if self.validating and runner.iter == self.iteration:
            raise Killed


class Validations(Hook):
    """Notes the iterations, and the scores."""

    def __init__(self) -> None:
        self.scores: dict[int, float] = {}

    def after_val_epoch(self, runner, metrics=None) -> None:
        assert runner.iter not in self.scores
        self.scores[runner.iter] = metrics['score']


def make_runner(work_dir: Path,
                loop: dict | None = None,
                sampler: dict | None = None,
                num_workers: int = 0,
                checkpoint: dict | None = None,
                kill: tuple[int, bool] | None = None,
                **options) -> Runner:
    """Build a runner: 12 iterations, a checkpoint and a validation each 4."""
    checkpoint = {
        'type': 'CheckpointHook',
        'by_epoch': False,
        'interval': 4,
        **(checkpoint or {})
    }
    config = dict(
        model=Model(),
        work_dir=str(work_dir),
        experiment_name=f'small_{next(_NUMBERS)}',
        train_dataloader=dict(
            dataset=Images(),
            sampler=sampler or dict(type='InfiniteSampler'),
            batch_size=3,
            num_workers=num_workers,
            persistent_workers=num_workers > 0,
            collate_fn=dict(type='default_collate')),
        val_dataloader=dict(
            dataset=Images(3),
            sampler=dict(type='DefaultSampler', shuffle=False),
            batch_size=3,
            collate_fn=dict(type='default_collate')),
        val_evaluator=dict(type=Score),
        val_cfg=dict(),
        train_cfg=loop or dict(by_epoch=False, max_iters=12, val_interval=4),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.01, momentum=0.9)),
        default_hooks=dict(
            checkpoint=checkpoint,
            exact_resume=dict(type='mmgh.ExactResumeHook')),
        custom_hooks=[Validations(), *([Kill(*kill)] if kill else [])],
        log_processor=dict(by_epoch=False),
        randomness=dict(seed=3),
        default_scope='mmengine')
    return Runner(**{**config, **options})


def scores(runner: Runner) -> dict[int, float]:
    hook, = (hook for hook in runner.hooks if isinstance(hook, Validations))
    return hook.scores


def killed(work_dir: Path, iteration: int, validating: bool = False,
           **options) -> Runner:
    """Train until the process ends."""
    runner = make_runner(work_dir, kill=(iteration, validating), **options)
    is_killed = False
    try:
        runner.train()
    except Killed:
        is_killed = True
    assert is_killed
    _end_workers(runner)
    return runner


def trained(work_dir: Path, **options) -> Runner:
    runner = make_runner(work_dir, **options)
    runner.train()
    _end_workers(runner)
    return runner


def _end_workers(runner: Runner) -> None:
    """Not by the garbage collection, which does it in a slow order."""
    runner.train_loop.dataloader._iterator = None
    runner.train_loop.dataloader_iterator = None


def assert_same_states(resumed: Runner, whole: Runner) -> None:
    """Bit for bit: weights and optimizer."""
    for part in ('model', 'optim_wrapper'):
        torch.testing.assert_close(
            getattr(resumed, part).state_dict(),
            getattr(whole, part).state_dict(),
            rtol=0,
            atol=0)


def assert_same_end(resumed: Runner, whole: Runner) -> None:
    """Bit for bit: what was seen since, weights, optimizer, schedules, log."""
    seen = resumed.model.seen
    assert seen == whole.model.seen[len(whole.model.seen) - len(seen):]
    assert_same_states(resumed, whole)
    logs = [{
        name: buffer.data[0].tolist()
        for name, buffer in runner.message_hub.log_scalars.items()
        if 'time' not in name
    } for runner in (resumed, whole)]
    assert logs[0] == logs[1]
