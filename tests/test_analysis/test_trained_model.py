"""What is read from a checkpoint."""
from __future__ import annotations

import pytest
import torch
from mmengine.config import Config
from mmengine.logging import HistoryBuffer

from mmgh.analysis import load_trained
from mmgh.input_error import InputError

CFG = """
model = dict(type='ImageClassifier', head=dict(num_classes=3))
test_dataloader = dict(
    dataset=dict(data_root='old', pipeline=[dict(type='a')]))
"""


@pytest.fixture
def save(tmp_path):
    """``save(**content)`` writes a checkpoint."""

    def write(**content):
        path = tmp_path / 'iter_4.pth'
        meta = dict(cfg=CFG, iter=4)
        torch.save({'meta': meta, 'state_dict': {}, **content}, path)
        return path

    return write


def test_history_has_the_logged_values(save):
    buffer = HistoryBuffer()
    for value in (3., 1.):
        buffer.update(value)
    hub = dict(log_scalars={'train/angle': buffer})
    history = load_trained(save(message_hub=hub)).history
    assert history['train/angle'].tolist() == [3, 1]


@pytest.mark.parametrize('content', [{}, dict(message_hub=None),
                                     dict(message_hub={})])
def test_checkpoint_without_a_log_has_no_history(save, content):
    trained = load_trained(save(**content))
    assert trained.history == {}
    assert trained.classes == ['0', '1', '2']


def test_classes_of_a_marked_model_are_the_model_s(save):
    marked = CFG.replace(
        'model = ', "model = dict(type='mmgh.TaskMarked', model=").replace(
            '=3))', "=3)), tasks=dict(a='a'))")
    trained = load_trained(save(meta=dict(cfg=marked, iter=4)))
    assert trained.cfg.model.type == 'mmgh.TaskMarked'
    assert trained.classes == ['0', '1', '2']


def test_options_replace_settings_of_the_training(save):
    options = {'test_dataloader.dataset.data_root': 'new'}
    cfg = load_trained(save(), options).cfg
    assert cfg.test_dataloader.dataset.data_root == 'new'
    expected = Config.fromstring(CFG, '.py')
    assert load_trained(save()).cfg.to_dict() == expected.to_dict()


@pytest.mark.parametrize('content', [dict(meta=None), dict(meta={})])
def test_checkpoint_without_a_config_is_refused(save, content):
    with pytest.raises(InputError, match='iter_4.pth .* no `meta.cfg`'):
        load_trained(save(**content))


def test_file_that_is_no_checkpoint_is_refused(tmp_path):
    path = tmp_path / 'a.pth'
    torch.save(torch.ones(2), path)
    with pytest.raises(InputError, match='a.pth should be a checkpoint'):
        load_trained(path)


@pytest.mark.parametrize('name', [
    'test_dataloader.dataset.pipeline.3.type',
    'test_dataloader.dataset.data_root.x'])
def test_options_that_do_not_fit_are_refused(save, name):
    with pytest.raises(InputError, match=f'should take the options .*{name}'):
        load_trained(save(), {name: 'b'})


@pytest.mark.parametrize('training, hooks, expected', [
    ("type='EpochBasedTrainLoop', max_epochs=3", '', 6),
    ('by_epoch=True, max_epochs=3', '', 6),
    ('by_epoch=True, max_epochs=3', 'logger=dict(log_metric_by_epoch=False)',
     1),
    ('by_epoch=False, max_iters=18', '', 1),
])
def test_steps_of_validations_may_be_epochs(save, training, hooks, expected):
    """As MMEngine's LoggerHook counts them."""
    cfg = f'{CFG}train_cfg = dict({training})\ndefault_hooks = dict({hooks})'
    meta = dict(cfg=cfg, iter=18, epoch=3)
    assert load_trained(save(meta=meta)).iterations_of_step == expected


def test_the_newest_checkpoint_of_a_run_counts_and_is_told(
        save, tmp_path, capsys):
    path = save()
    assert load_trained(tmp_path).path == path
    assert capsys.readouterr() == (
        '', f'Checkpoint: {path} (the newest one)\n')


def test_missing_run_is_named():
    with pytest.raises(FileNotFoundError, match='nowhere should be a work'):
        load_trained('nowhere')
