"""Whenever a training is stopped, a whole checkpoint is left."""
from __future__ import annotations

import os
from collections import deque
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.hooks import CheckpointHook, Hook
from mmengine.logging import MessageHub, MMLogger
from mmengine.runner import save_checkpoint

from mmgh.checkpoints import newest_checkpoint, read_checkpoint
from mmgh.evaluation import UnsupervisedMetric
from mmgh.hooks import AtomicCheckpointHook
from mmgh.input_error import InputError
from ..test_evaluation.every_score import SCORES
from .small_runs import Score, assert_same_end, killed, trained

MANY = 10**6
ACCURACIES = {2: 10., 3: 30., 4: 20., 5: 40., 6: 50.}


class Killed(BaseException):
    """As a kill, it is caught by nobody."""


class Disk:
    """Stops the process before its n-th sync, move or deletion."""

    def __init__(self, patch: pytest.MonkeyPatch, last: int) -> None:
        self.left = last
        for name in ('replace', 'remove', 'unlink'):
            patch.setattr(os, name, self._counted(getattr(os, name)))
        patch.setattr(os, 'fsync', self._counted(lambda file: None))

    def _counted(self, function):

        def call(*args):
            self.step()
            return function(*args)

        return call

    def step(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Killed


def train(work_dir: Path, last_operation: int = MANY,
          hook_type=AtomicCheckpointHook, done: list | None = None,
          **options) -> SimpleNamespace:
    """Save in each of six iterations, and validate after most of them."""
    hook = hook_type(by_epoch=False, interval=1, **options)
    hub = MessageHub.get_instance(f'{work_dir}{last_operation}')

    def save(folder, filename, *args, meta, **kwargs):
        save_checkpoint(
            dict(meta={**meta, 'time': '1'}, message_hub=dict(
                     runtime_info=dict(hub.runtime_info)),
                 state_dict=dict(a=torch.full((5000, ), float(meta['iter'])))),
            os.path.join(folder, filename))

    runner = SimpleNamespace(
        work_dir=str(work_dir),
        message_hub=hub,
        logger=MMLogger.get_current_instance(),
        iter=0,
        epoch=0,
        max_iters=6,
        save_checkpoint=save)
    work_dir.mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        runner.disk = Disk(patch, last_operation)
        hook.before_train(runner)
        for runner.iter in range(6):
            hook.after_train_iter(runner, runner.iter)
            runner.iter += 1  # as MMEngine's loop does before it validates
            if done is not None:
                done.append(runner.iter)
            if runner.iter in ACCURACIES:
                accuracy = ACCURACIES[runner.iter]
                hook.after_val_epoch(runner, dict(acc=accuracy,
                                                  loss=-accuracy))
    hook.after_run(runner)
    return runner


def best(work_dir: Path, metric: str = 'acc') -> list[int]:
    """Iterations of the best checkpoints that are whole."""
    return sorted(
        read_checkpoint(path)['meta']['iter']
        for path in work_dir.glob(f'best_{metric}_*.pth'))


def steps(work_dir: Path) -> set[str]:
    return {path.name for path in work_dir.glob('iter_*')}


OPTIONS = [
    dict(max_keep_ckpts=1, save_best='acc', rule='greater'),
    dict(max_keep_ckpts=2, save_best=['acc', 'loss'], rule=['greater',
                                                             'less']),
    dict(max_keep_ckpts=1),
]


@pytest.mark.parametrize('options', OPTIONS)
def test_a_kill_at_any_moment_loses_nothing(tmp_path, options):
    total = MANY - train(tmp_path / 'whole', **options).disk.left
    assert total > 20
    for last in range(total):
        work_dir, done = tmp_path / f'{last}', []
        with pytest.raises(Killed):
            train(work_dir, last, done=done, **options)
        if not done:
            continue
        content = read_checkpoint(newest_checkpoint(work_dir))
        assert content['meta']['iter'] >= done[-1]
        assert content['state_dict']['a'].std() == 0
        validated = [step for step in done[:-1] if step in ACCURACIES]
        if 'save_best' in options and validated:
            wanted = max(validated, key=ACCURACIES.get)
            assert best(work_dir)[-1] >= wanted


@pytest.mark.parametrize('options, left', [
    (dict(max_keep_ckpts=1), [6]),
    (dict(max_keep_ckpts=2), [5, 6]),
    (dict(max_keep_ckpts=-1), [1, 2, 3, 4, 5, 6]),
    (dict(max_keep_ckpts=1, save_best='acc', rule='greater'), [6]),
])
def test_in_the_end_it_keeps_what_mmengine_keeps(tmp_path, options, left):
    ours, theirs = tmp_path / 'ours', tmp_path / 'theirs'
    runner = train(ours, **options)
    other = train(theirs, hook_type=CheckpointHook, **options)
    assert steps(ours) == {f'iter_{step}.pth' for step in left}
    assert {path.name for path in ours.iterdir()} == {
        path.name for path in theirs.iterdir()
    }
    names = set(runner.message_hub.runtime_info)
    assert names == set(other.message_hub.runtime_info)
    if options['max_keep_ckpts'] > 0:
        assert runner.message_hub.get_info('keep_ckpt_ids') == left


ATOMIC = dict(type='mmgh.AtomicCheckpointHook', max_keep_ckpts=1)


class Put(Hook):
    """Puts a value where it is saved, from some iteration on."""

    def __init__(self, first: int, value: object) -> None:
        self.first, self.value = first, value

    def after_train_iter(self, runner, *args, **kwargs) -> None:
        if runner.iter + 1 >= self.first:
            runner.message_hub.update_info('mine', self.value)


def test_what_could_not_be_read_again_ends_training_and_loses_nothing(
        tmp_path):
    options = dict(checkpoint=dict(ATOMIC, save_best='score', rule='less'))
    with pytest.raises(InputError, match=(
            r'`message_hub\.runtime_info\.mine` is a `collections\.deque`')):
        trained(tmp_path, custom_hooks=[Put(8, deque([1]))], **options)
    assert (tmp_path / 'last_checkpoint').read_text().endswith('iter_4.pth')
    assert {path.name for path in tmp_path.glob('*.pth*')} == {
        'iter_4.pth', 'best_score_iter_4.pth'
    }
    whole = trained(tmp_path / 'whole', **options)
    assert_same_end(trained(tmp_path, resume=True, **options), whole)


class NumpyScore(Score):
    """As of a metric that computes in single precision."""

    def compute_metrics(self, results) -> dict:
        return dict(score=np.float32(results[0]))


def test_what_numpy_computed_is_read_again(tmp_path):
    options = dict(
        checkpoint=dict(ATOMIC, save_best='score', rule='less'),
        val_evaluator=dict(type=NumpyScore),
        optim_wrapper=dict(
            optimizer=dict(type='SGD', lr=np.float32(0.01), momentum=0.9)))
    whole = trained(tmp_path / 'whole', **options)
    killed(tmp_path, 10, **options)
    assert_same_end(trained(tmp_path, resume=True, **options), whole)


@pytest.mark.parametrize('name', ['by name', 'auto'])
@pytest.mark.parametrize(
    'item', [entry.item for entry in SCORES])
def test_the_best_by_a_score_needs_no_rule(item, name, tmp_path):
    metric = f'unsupervised/{item}'
    hook = AtomicCheckpointHook(
        by_epoch=False, save_best='auto' if name == 'auto' else metric)
    saved = []
    runner = SimpleNamespace(
        work_dir=str(tmp_path), message_hub=MessageHub.get_instance(
            f'{tmp_path}'), logger=MMLogger.get_current_instance(), epoch=0,
        save_checkpoint=lambda *args, filename, **kwargs: saved.append(
            filename))
    hook.before_train(runner)
    for runner.iter, value in enumerate([2., 1., 3., 2.]):
        hook.after_val_epoch(runner, {metric: value})
    hook.after_run(runner)
    best = 1 if item in UnsupervisedMetric.lower_is_better else 2
    assert saved == [f'best_unsupervised_{item}_iter_{step}.pth'
                     for step in (0, best)]
