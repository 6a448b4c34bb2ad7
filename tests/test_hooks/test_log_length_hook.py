"""The log of a long training: bounded, and with the same means."""
from __future__ import annotations

import copy
import pickle
from types import SimpleNamespace

import numpy as np
import pytest
from mmengine.logging import HistoryBuffer, MessageHub
from mmengine.runner import LogProcessor

from mmgh.analysis.trained_model import Trained
from mmgh.hooks import LogLengthHook
from mmgh.hooks.log_length_hook import shortened

WINDOW = 50


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """As with 20 times as many iterations."""
    module = 'mmgh.hooks.log_length_hook'
    monkeypatch.setattr(f'{module}._RECENT', 50)
    monkeypatch.setattr(f'{module}._BLOCKS', 200)


def make_runner(name: str, custom=(), val_length: int = 7):
    processor = LogProcessor(
        window_size=WINDOW, by_epoch=False, custom_cfg=list(custom))
    return SimpleNamespace(
        message_hub=MessageHub.get_instance(name),
        log_processor=processor,
        train_loop=SimpleNamespace(dataloader=iter(())),
        val_loop=SimpleNamespace(dataloader=range(val_length)))


def train(runner, values: np.ndarray, hook=None, start: int = 0) -> list[dict]:
    """What the log processor says at each iteration."""
    if hook:
        hook.before_train(runner)
    told = []
    for runner.iter, value in enumerate(values[start:], start):
        runner.message_hub.update_scalar('train/loss', value)
        runner.message_hub.update_scalar('train/lr', value)
        runner.message_hub.update_scalar('train/angle', value)
        if hook:
            hook.after_train_iter(runner, runner.iter, None, None)
        windows = runner.log_processor._parse_windows_size(
            runner, runner.iter, runner.log_processor.custom_cfg)
        told.append(dict(runner.log_processor._collect_scalars(
            windows, runner, 'train')))
    return told


@pytest.fixture(scope='module')
def values():
    return np.random.RandomState(0).randn(3000)


def assert_equal(first: list[dict], second: list[dict]) -> None:
    for name in second[0]:
        np.testing.assert_allclose([line[name] for line in first],
                                   [line[name] for line in second],
                                   rtol=1e-9, atol=1e-12)


CUSTOM = [
    dict(data_src='loss', method_name='mean', window_size=100,
         log_name='loss_100'),
    dict(data_src='angle', method_name='max', window_size='global'),
]


def test_lines_of_the_log_are_the_same(values):
    expected = train(make_runner('whole', CUSTOM), values)
    found = train(make_runner('short', CUSTOM), values, LogLengthHook())
    assert_equal(found, expected)


def test_memory_and_checkpoint_do_not_grow(values):
    runner, sizes, lengths = make_runner('bounded'), [], []
    hook = LogLengthHook()
    for start in range(0, 3000, 10):
        train(runner, values[:start + 10], hook, start)
        sizes.append(len(pickle.dumps(runner.message_hub.state_dict())))
        lengths += [len(buffer.data[0])
                    for buffer in runner.message_hub.log_scalars.values()]
    assert max(lengths) <= 50 + 2 * 200
    # The last part of a training needs no more than an earlier one.
    assert max(sizes[200:]) <= max(sizes[:60])


def test_history_has_its_length_and_its_mean(values):
    runner = make_runner('history')
    train(runner, values, LogLengthHook())
    history = Trained(None, dict(
        message_hub=runner.message_hub.state_dict())).history['train/loss']
    assert history.shape == values.shape
    assert history.mean() == pytest.approx(values.mean())
    for end in (16, 512, 1024):  # also of parts
        assert history[:end].mean() == pytest.approx(values[:end].mean())
    assert np.array_equal(history[-50:], values[-50:])


def test_resumed_training_has_the_log_of_a_whole_one(values):
    whole, first = make_runner('one'), make_runner('two')
    train(whole, values, LogLengthHook())
    train(first, values[:1700], LogLengthHook())
    second = make_runner('three')
    second.message_hub.load_state_dict(
        copy.deepcopy(first.message_hub.state_dict()))
    train(second, values, LogLengthHook(), start=1700)
    for name, buffer in whole.message_hub.log_scalars.items():
        for ours, theirs in zip(second.message_hub.log_scalars[name].data,
                                buffer.data):
            assert np.array_equal(ours, theirs)


def test_long_log_of_a_run_without_the_hook_is_shortened(values):
    runner = make_runner('resumed')
    train(runner, values)
    train(runner, np.append(values, 1.), LogLengthHook(), start=3000)
    buffer = runner.message_hub.log_scalars['train/loss']
    assert len(buffer.data[0]) <= 250
    assert buffer.data[0].sum() == pytest.approx(values.sum() + 1)
    assert buffer.data[1].sum() == 3001


def test_times_of_a_validation_are_averaged_over_it():
    """MMEngine does so over as many values as there are batches."""
    runner = make_runner('val', val_length=300)
    hook = LogLengthHook()
    hook.before_train(runner)
    hub = runner.message_hub
    for epoch in range(5):
        for i in range(300):
            hub.update_scalar('val/time', float(epoch + i))
            hook.after_val_iter(runner, i)
        mean = hub.get_scalar('val/time').mean(300)
        assert mean == pytest.approx(epoch + 299 / 2)
    assert len(hub.get_scalar('val/time').data[0]) <= 301 + 2 * 200


def test_validation_alone_needs_no_set_up():
    LogLengthHook().after_val_iter(make_runner('alone'), 0)


@pytest.mark.parametrize('counts', [
    np.ones(900, int), np.full(900, 3), np.arange(1, 901) % 5 + 1
])
def test_sums_and_counts_stay(counts):
    values = np.random.RandomState(1).randn(900)
    found = shortened(HistoryBuffer(values, counts), 10, 64)
    assert found.data[1].sum() == counts.sum()
    assert found.mean() == pytest.approx(values.sum() / counts.sum())
    assert len(found.data[0]) <= 10 + 64
    again = shortened(found, 5, 8)
    assert again.data[0].sum() == pytest.approx(values.sum())
