"""A resumed run equals an uninterrupted one, and says where it cannot."""
from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from mmengine.hooks import EarlyStoppingHook

from mmgh.hooks import ExactResumeHook
from mmgh.input_error import InputError
from ..log_warnings import warnings_of
from .small_runs import (LOADED, Images, assert_same_end, killed, make_runner,
                         scores, trained)

BY_EPOCH = dict(by_epoch=True, max_epochs=3)
INFINITE = dict(type='InfiniteSampler')
FINITE = dict(type='DefaultSampler', shuffle=True)


@pytest.mark.parametrize('num_workers', [0, 2])
@pytest.mark.parametrize('loop, sampler', [
    (None, INFINITE),
    (None, FINITE),
    (None, dict(type='InfiniteSampler', shuffle=False)),
    (BY_EPOCH, FINITE),
])
def test_resumed_run_equals_the_whole_one(tmp_path, monkeypatch, loop,
                                          sampler, num_workers):
    monkeypatch.setattr('mmengine.runner.loops.time.sleep', lambda _: None)
    options = dict(loop=loop, sampler=sampler, num_workers=num_workers)
    # 4 iterations an epoch: the second one is killed in its middle.
    options['checkpoint'] = dict(interval=3)
    whole = trained(tmp_path / 'whole', **options)
    killed(tmp_path / 'run', 7, **options)
    resumed = trained(tmp_path / 'run', resume=True, **options)
    assert len(resumed.model.seen) == 12 - 6
    assert_same_end(resumed, whole)


def test_random_numbers_differ_with_iteration_seed_and_rank(
        tmp_path, monkeypatch):
    """Those of the loading, and those of the model."""

    def numbers(name: str, **options) -> set[float]:
        runner = trained(tmp_path / name, **options)
        images = {image[1] for batch in runner.model.seen for image in batch}
        losses, _ = runner.message_hub.get_scalar('train/loss').data
        assert len(images) == 12 * 3 and len(set(losses)) == 12
        return images | set(losses)

    base = numbers('base')
    assert base == numbers('again')
    assert not base & numbers('seed', randomness=dict(seed=4))
    # Whose model is the same; the loop divides by the number of workers.
    assert not base & numbers('workers', num_workers=1)
    monkeypatch.setattr('mmgh.hooks.resuming.training_batches.get_rank',
                        lambda: 1)
    assert not base & numbers('rank')


def test_nothing_is_loaded_again(tmp_path):
    killed(tmp_path, 11, val_cfg=None, val_dataloader=None,
           val_evaluator=None)
    LOADED.clear()
    trained(tmp_path, resume=True, val_cfg=None, val_dataloader=None,
            val_evaluator=None)
    assert sum(LOADED.values()) == (12 - 8) * 3


def test_seed_that_nobody_gave_is_kept(tmp_path):
    options = dict(randomness=dict(seed=None), sampler=INFINITE)
    first = killed(tmp_path / 'run', 7, **options)
    resumed = trained(tmp_path / 'run', resume=True, **options)
    whole = trained(tmp_path / 'whole', randomness=dict(seed=first.seed))
    assert_same_end(resumed, whole)


@pytest.mark.parametrize('loop, iteration', [
    (None, 8),
    (None, 12),
    (dict(by_epoch=False, max_iters=12, val_interval=3), 12),
    (dict(by_epoch=False, max_iters=12, val_interval=3, val_begin=10), 12),
    (dict(by_epoch=False, max_iters=12, val_interval=5,
          dynamic_intervals=[(6, 2)]), 8),
    (BY_EPOCH, 8),
    (BY_EPOCH, 12),
])
def test_validation_that_was_cut_off_is_made_up_for(tmp_path, loop,
                                                    iteration):
    checkpoint = dict(save_best='score', rule='less')
    options = dict(loop=loop, checkpoint=checkpoint)
    if loop is BY_EPOCH:
        options.update(
            sampler=FINITE,
            checkpoint=dict(by_epoch=True, interval=1, **checkpoint))
    whole = trained(tmp_path / 'whole', **options)
    cut = killed(tmp_path / 'run', iteration, validating=True, **options)
    resumed = trained(tmp_path / 'run', resume=True, **options)
    assert iteration in scores(resumed) and iteration not in scores(cut)
    assert {**scores(cut), **scores(resumed)} == scores(whole)
    assert_same_end(resumed, whole)
    best = [sorted(path.name for path in (tmp_path / name).glob('best*'))
            for name in ('whole', 'run')]
    assert best[0] == best[1] and len(best[0]) == 1


@pytest.mark.parametrize('iteration, max_iters', [(6, 12), (8, 20)])
def test_nothing_else_is_validated(tmp_path, iteration, max_iters):
    loop = dict(by_epoch=False, max_iters=iteration, val_interval=5)
    trained(tmp_path, loop=loop)
    resumed = trained(
        tmp_path, loop=dict(loop, max_iters=max_iters), resume=True)
    assert sorted(scores(resumed)) == [
        *range(10, max_iters, 5), max_iters]


def test_what_was_validated_before_it_was_saved_is_not_again(tmp_path):
    checkpoint = dict(interval=100, save_best='score', rule='less')
    trained(tmp_path, checkpoint=checkpoint)
    best, = tmp_path.glob('best_score_iter_*.pth')
    iteration = torch.load(best)['meta']['iter']
    resumed = trained(tmp_path, load_from=str(best), resume=True)
    assert iteration not in scores(resumed)


def test_patience_of_early_stopping_goes_on(tmp_path):

    def stopping() -> EarlyStoppingHook:
        # No score is as low.
        return EarlyStoppingHook('score', rule='less', patience=3,
                                 min_delta=1e9)

    options = dict(
        loop=dict(by_epoch=False, max_iters=40, val_interval=4))
    killed(tmp_path, 10, **options)
    for last, resume in ((10, False), (40, True)):
        runner = make_runner(tmp_path, resume=resume, **options)
        runner.register_hook(stopping())
        if last == 10:
            runner.train_loop._max_iters = 10
        runner.train()
    # The first is the best, by definition; three more follow.
    assert runner.iter == 16


def test_moved_run_goes_on_where_it_is(tmp_path):
    checkpoint = dict(save_best='score', rule='less', max_keep_ckpts=1)
    killed(tmp_path / 'old', 7, checkpoint=checkpoint)
    shutil.copytree(tmp_path / 'old', tmp_path / 'new')
    before = _files(tmp_path / 'old')
    resumed = trained(tmp_path / 'new', checkpoint=checkpoint, resume=True)
    assert resumed.message_hub.get_info('last_ckpt') == str(
        tmp_path / 'new' / 'iter_12.pth')
    assert _files(tmp_path / 'old') == before
    assert len(list((tmp_path / 'new').glob('best*'))) == 1
    whole = trained(tmp_path / 'whole', checkpoint=checkpoint)
    assert_same_end(resumed, whole)


def _files(folder: Path) -> dict[Path, float]:
    return {path: path.stat().st_mtime for path in folder.rglob('*.pth')}


@pytest.mark.filterwarnings('ignore:.*It is skipped')
@pytest.mark.parametrize('pointer', [None, '', '/gone/iter_12.pth'])
def test_without_last_checkpoint_the_newest_whole_one_counts(
        tmp_path, pointer):
    killed(tmp_path, 11)
    (tmp_path / 'last_checkpoint').unlink()
    if pointer is not None:
        (tmp_path / 'last_checkpoint').write_text(pointer)
    (tmp_path / 'iter_12.pth').write_bytes(b'cut off')
    assert len(trained(tmp_path, resume=True).model.seen) == 12 - 8


@pytest.mark.filterwarnings('ignore:.*It is skipped')
def test_no_training_begins_over_damaged_checkpoints(tmp_path):
    (tmp_path / 'iter_12.pth').write_bytes(b'cut off')
    with pytest.raises(FileNotFoundError, match='no other one'):
        trained(tmp_path, resume=True)


def test_without_any_checkpoint_a_training_begins(tmp_path):
    runner = make_runner(tmp_path / 'new', resume=True)
    told = warnings_of(runner.train)
    assert len(runner.model.seen) == 12
    assert f'{tmp_path}/new has no checkpoint: training begins at ' \
        'iteration 0.' in told
    again = make_runner(tmp_path / 'new', resume=True)
    assert 'has no checkpoint' not in ' '.join(warnings_of(again.train))


def test_weights_of_another_training_begin_a_new_one(tmp_path):
    trained(tmp_path / 'first')
    second = make_runner(
        tmp_path / 'second', load_from=str(tmp_path / 'first/iter_12.pth'))
    second.train()
    assert second.model.reversal.iteration == 12
    assert len(second.model.seen) == 12


@pytest.mark.parametrize('size, batch_size, expected', [
    (10, 3, []),
    (11, 2, ['train_dataloader.batch_size is 2, was 3',
             'number of training images is 11, was 10']),
])
def test_data_that_changed_are_told(tmp_path, size, batch_size, expected):
    killed(tmp_path, 7)
    loader = dict(
        dataset=Images(size), sampler=INFINITE, batch_size=batch_size,
        collate_fn=dict(type='default_collate'))
    runner = make_runner(tmp_path, resume=True, train_dataloader=loader)
    messages = []
    runner.logger.addFilter(
        lambda record: messages.append(record.getMessage()) or True)
    runner.train()
    told = [message for message in messages if 'other images' in message]
    assert len(told) == bool(expected)
    assert all(text in told[0] for text in expected)


def test_without_the_hook_runs_differ(tmp_path):
    """What is tested here can fail."""
    options = dict(default_hooks=dict(
        checkpoint=dict(type='CheckpointHook', by_epoch=False, interval=4)))
    whole = trained(tmp_path / 'whole', **options)
    killed(tmp_path / 'run', 8, validating=True, **options)
    resumed = trained(tmp_path / 'run', resume=True, **options)
    assert 8 not in scores(resumed)
    with pytest.raises(AssertionError):
        assert_same_end(resumed, whole)


def test_hook_is_after_those_that_prepare_a_validation():
    assert ExactResumeHook.priority == 'LOWEST'


def told_of_earlier(runner) -> list[str]:
    """Train, and return the warnings of earlier checkpoints."""
    return [text for text in warnings_of(runner.train)
            if 'of an earlier one' in text]


def test_a_new_training_over_an_earlier_one_is_told(tmp_path):
    runner = make_runner(tmp_path)
    assert not told_of_earlier(runner)
    again = make_runner(tmp_path)
    sentence, = told_of_earlier(again)
    assert f'{tmp_path} should be the directory of one training, but has 3 '
    assert 'such as iter_12.pth' in sentence
    assert not told_of_earlier(make_runner(tmp_path, resume=True))


def test_weights_alone_cannot_be_resumed(tmp_path):
    weights = trained(tmp_path).model.state_dict()
    for content in (weights, dict(state_dict=weights, meta={})):
        torch.save(content, tmp_path / 'weights.pth')
        with pytest.raises(InputError, match='weights.pth should be .* of a '
                           'training .* set `load_from`'):
            make_runner(tmp_path, resume=True,
                        load_from=str(tmp_path / 'weights.pth')).train()


def test_a_training_without_its_optimizer_is_told(tmp_path):
    options = dict(checkpoint=dict(save_optimizer=False))
    killed(tmp_path, 7, **options)
    # The schedule changes, too.
    longer = dict(by_epoch=False, max_iters=16, val_interval=4)
    runner = make_runner(tmp_path, resume=True, loop=longer, **options)
    assert 'iter_4.pth has no state of the optimizer' in str(
        warnings_of(runner.train))
