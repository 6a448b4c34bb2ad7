"""Which checkpoint of a run is read."""
from __future__ import annotations

import os
import shutil
import warnings
from collections import deque
from pathlib import Path

import pytest
import torch

from mmgh.checkpoints import (check_finite, checkpoint_of, chosen_checkpoints,
                              newest_checkpoint, read_checkpoint)
from mmgh.input_error import InputError


@pytest.fixture
def run(tmp_path):
    """``run(3, 6, named='iter_6.pth')`` writes checkpoints, one a minute."""

    def write(*steps: int, named: str | None, minute: int = 0) -> Path:
        work_dir = tmp_path / 'run'
        work_dir.mkdir(exist_ok=True)
        for i, step in enumerate(steps):
            meta = dict(iter=step, time=f'20260101_{1000 + minute + i}00')
            torch.save(dict(meta=meta, state_dict=dict(a=torch.ones(999))),
                       work_dir / f'iter_{step}.pth')
        if named is not None:
            (work_dir / 'last_checkpoint').write_text(
                named and f'/elsewhere/{named}')
        return work_dir

    return write


def cut(path: Path, size: int) -> None:
    os.truncate(path, size)


def test_named_one_is_the_newest_and_found_where_the_run_is_now(run):
    work_dir = run(3, 6, 9, named='iter_9.pth')
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        assert newest_checkpoint(work_dir) == work_dir / 'iter_9.pth'
        moved = work_dir.rename(work_dir.with_name('moved'))
        assert newest_checkpoint(moved) == moved / 'iter_9.pth'


@pytest.mark.parametrize('size', [0, 2, 1000, -1])
def test_damaged_one_is_skipped_and_named(run, size):
    work_dir = run(3, 6, 9, named='iter_9.pth')
    path = work_dir / 'iter_9.pth'
    cut(path, size if size >= 0 else path.stat().st_size + size)
    with pytest.warns(UserWarning,
                      match='iter_9.pth should.*missing. It is skipped'):
        assert newest_checkpoint(work_dir) == work_dir / 'iter_6.pth'


def test_one_that_was_not_named_any_more_counts(run):
    """The run was stopped just then."""
    work_dir = run(3, 6, named='iter_3.pth')
    assert newest_checkpoint(work_dir) == work_dir / 'iter_6.pth'
    cut(work_dir / 'iter_6.pth', 100)
    with pytest.warns(UserWarning, match='iter_6.pth should.*It is skipped'):
        assert newest_checkpoint(work_dir) == work_dir / 'iter_3.pth'


def test_later_one_of_an_earlier_training_does_not_count(run):
    run(20, named='iter_20.pth')
    work_dir = run(5, 10, named='iter_10.pth', minute=30)
    assert newest_checkpoint(work_dir) == work_dir / 'iter_10.pth'
    copy = work_dir.with_name('copy')
    shutil.copytree(work_dir, copy, copy_function=shutil.copyfile)
    assert newest_checkpoint(copy) == copy / 'iter_10.pth'


@pytest.mark.filterwarnings('ignore:.*It is skipped')
@pytest.mark.parametrize('named', [None, '', 'iter_12.pth'])
def test_without_a_name_that_is_there_the_last_one_counts(run, named):
    work_dir = run(9, 6, 10, named=named)
    assert newest_checkpoint(work_dir).name == 'iter_10.pth'


def test_best_ones_and_partial_ones_do_not_count(run):
    work_dir = run(3, named=None)
    for name in ('best_accuracy_top1_iter_9.pth', 'iter_9.pth.part',
                 'classifier.pth'):
        shutil.copy(work_dir / 'iter_3.pth', work_dir / name)
    assert newest_checkpoint(work_dir).name == 'iter_3.pth'


CHOSEN = 'best_unsupervised_mutual_information_iter_3.pth'


def test_what_was_chosen_without_target_labels_stands_for_a_run(run, capsys):
    work_dir = run(3, 6, named='iter_6.pth')
    shutil.copy(work_dir / 'iter_3.pth', work_dir / CHOSEN)
    assert checkpoint_of(work_dir) == work_dir / CHOSEN
    assert capsys.readouterr().err == (
        f'Checkpoint: {work_dir / CHOSEN} (chosen without target labels)\n')
    assert newest_checkpoint(work_dir).name == 'iter_6.pth'


def note(path: Path, **notes: str) -> None:
    """Have a checkpoint say what its training chose."""
    content = torch.load(path)
    content['message_hub'] = dict(runtime_info=notes)
    torch.save(content, path)


@pytest.mark.parametrize('notes', [
    {}, dict(best_ckpt='/elsewhere/best_unsupervised_mutual_information_iter_6'
             '.pth'), dict(best_score='1')])
def test_what_an_earlier_training_chose_does_not_count(run, notes):
    work_dir = run(3, 6, named='iter_6.pth')
    (work_dir / 'iter_3.pth').rename(work_dir / CHOSEN)
    run(3, 6, named='iter_6.pth', minute=30)
    note(work_dir / 'iter_6.pth', **notes)
    assert not chosen_checkpoints(work_dir)
    assert checkpoint_of(work_dir) == work_dir / 'iter_6.pth'


@pytest.mark.parametrize('key', ['best_ckpt', 'best_ckpt_unsupervised/snd'])
def test_what_a_training_chose_before_it_was_resumed_counts(run, key):
    """The newest checkpoint still names it, wherever it was then."""
    work_dir = run(3, 6, named='iter_6.pth')
    (work_dir / 'iter_3.pth').rename(work_dir / CHOSEN)
    run(9, named='iter_9.pth', minute=30)
    note(work_dir / 'iter_9.pth', **{key: f'/elsewhere/{CHOSEN}'})
    assert checkpoint_of(work_dir) == work_dir / CHOSEN


def test_what_was_chosen_after_the_newest_counts(run):
    """A training was killed before the next one, which would name it."""
    work_dir = run(2, named='iter_2.pth')
    note(work_dir / 'iter_2.pth')
    run(3, named=None, minute=1)
    (work_dir / 'iter_3.pth').rename(work_dir / CHOSEN)
    assert checkpoint_of(work_dir) == work_dir / CHOSEN
    (work_dir / 'iter_2.pth').unlink()
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        assert checkpoint_of(work_dir) == work_dir / CHOSEN


@pytest.mark.parametrize('name', [
    'best_accuracy_top1_iter_3.pth', 'best_oracle_accuracy_top1_iter_3.pth',
    'best_unsupervised_snd_iter_3.pth.part', 'best_iter_3.pth'
])
def test_what_may_be_chosen_by_target_labels_does_not(run, capsys, name):
    work_dir = run(3, 6, named='iter_6.pth')
    shutil.copy(work_dir / 'iter_3.pth', work_dir / name)
    assert checkpoint_of(work_dir).name == 'iter_6.pth'
    assert '(the newest one)' in capsys.readouterr().err


def test_several_choices_are_told(run, capsys):
    work_dir = run(3, 6, named='iter_6.pth')
    other = 'best_source_accuracy_top1_epoch_2.pth'
    for name in (CHOSEN, other):
        shutil.copy(work_dir / 'iter_3.pth', work_dir / name)
    assert checkpoint_of(work_dir).name == 'iter_6.pth'
    told = capsys.readouterr().err
    assert CHOSEN in told and other in told


def test_damaged_choice_is_told_and_left_out(run):
    work_dir = run(3, named='iter_3.pth')
    (work_dir / CHOSEN).write_bytes(b'PK')
    with pytest.warns(UserWarning, match=CHOSEN):
        assert checkpoint_of(work_dir).name == 'iter_3.pth'


def test_names_of_the_user_count(run):
    work_dir = run(3, named='mine.pth')
    (work_dir / 'iter_3.pth').rename(work_dir / 'mine.pth')
    assert newest_checkpoint(work_dir).name == 'mine.pth'


def test_files_of_an_older_torch_count(run):
    work_dir = run(3, named='iter_3.pth')
    path = work_dir / 'iter_3.pth'
    torch.save(torch.load(path), path, _use_new_zipfile_serialization=False)
    assert newest_checkpoint(work_dir) == path


def test_folder_of_checkpoints_elsewhere(run, tmp_path):
    """As with ``CheckpointHook.out_dir``."""
    elsewhere = run(3, 6, named=None)
    work_dir = tmp_path / 'work'
    work_dir.mkdir()
    (work_dir / 'last_checkpoint').write_text(f'{elsewhere}/iter_3.pth')
    assert newest_checkpoint(work_dir) == elsewhere / 'iter_6.pth'


def test_without_any_the_files_are_told(run):
    work_dir = run(3, named='iter_3.pth')
    (work_dir / 'iter_3.pth').rename(work_dir / 'best_iter_3.pth')
    with pytest.warns(UserWarning, match='iter_3.pth .*It is skipped'), \
            pytest.raises(FileNotFoundError,
                       match='run should be .*/best_iter_3.pth'):
        newest_checkpoint(work_dir)


def with_a_deque(path: Path) -> None:
    torch.save(dict(torch.load(path), mine=deque([1])), path)


def test_what_is_more_than_plain_data_is_skipped_and_named(run):
    work_dir = run(3, 6, named='iter_6.pth')
    with_a_deque(work_dir / 'iter_6.pth')
    with pytest.warns(UserWarning, match=(
            'iter_6.pth should .*`collections.deque`, .*It is skipped')):
        assert newest_checkpoint(work_dir) == work_dir / 'iter_3.pth'


@pytest.mark.filterwarnings('ignore:.*It is skipped')
def test_without_any_that_can_be_read_the_reason_is_told(run):
    work_dir = run(3, 6, named='iter_6.pth')
    with_a_deque(work_dir / 'iter_6.pth')
    cut(work_dir / 'iter_3.pth', 100)
    with pytest.raises(FileNotFoundError, match=(
            'run should be .*that can be read.* /.*iter_6.pth should .* holds '
            '`collections.deque`, which is not plain data')) as error:
        newest_checkpoint(work_dir)
    assert 'whole' not in str(error.value)


def test_weights_that_are_no_numbers_are_named():
    weights = {'head.weight': torch.tensor([1., float('nan')]),
               'uda_head.weight': torch.tensor(float('inf')),
               'head.bias': torch.ones(2), 'count': torch.tensor(3)}
    with pytest.raises(InputError, match='a.pth should give finite outputs, '
                       '.* 1 of 4, such as head.weight: the training div'):
        check_finite(weights, 'a.pth')
    del weights['head.weight']
    check_finite(weights, 'a.pth')


def test_other_files_are_refused(tmp_path):
    path = tmp_path / 'a.pth'
    path.write_text('text')
    with pytest.raises(InputError, match='a.pth should be a checkpoint'):
        read_checkpoint(path)


def test_one_whose_content_changed_is_skipped_and_named(run):
    work_dir = run(3, 6, named='iter_6.pth')
    path = work_dir / 'iter_6.pth'
    content = bytearray(path.read_bytes())
    # One bit of the weights, which are most of the file.
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.warns(UserWarning, match='iter_6.pth should.*checksum'):
        assert newest_checkpoint(work_dir) == work_dir / 'iter_3.pth'


@pytest.mark.parametrize('content', [bytes(40), b'\xff\xfe\x00'])
def test_a_name_that_is_no_text_does_not_count(run, content):
    work_dir = run(3, 6, named=None)
    (work_dir / 'last_checkpoint').write_bytes(content)
    assert newest_checkpoint(work_dir) == work_dir / 'iter_6.pth'
