"""SafeTrainingHook: a collapse is undone, bit for bit."""
from __future__ import annotations

import copy
import io
import logging
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.optim import OptimWrapper
from torch import nn

from mmgh.hooks import SafeTrainingHook
from mmgh.hooks.safe_training_hook import has_dropped

WINDOW = 4


class Model(nn.Module):

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
        self.register_buffer(
            'adaptation_strength', torch.ones(()), persistent=False)


class Runner(SimpleNamespace):
    """As much of a runner as the hook sees; it trains on random numbers."""

    def __init__(self, optimizer: str = 'SGD') -> None:
        torch.manual_seed(0)
        self.model = Model()
        options = dict(momentum=0.9) if optimizer == 'SGD' else {}
        groups = [
            dict(params=self.model.layers[0].parameters(), lr=0.05),
            dict(params=self.model.layers[1:].parameters())
        ]
        self.optim_wrapper = OptimWrapper(
            getattr(torch.optim, optimizer)(groups, lr=0.1, **options))
        self.iter = 0
        self.strengths = []
        self.logger = logging.getLogger('test')

    def train(self, hook: SafeTrainingHook, diversities) -> None:
        for diversity in diversities:
            hook.before_train_iter(self, self.iter)
            self.strengths.append(self.model.adaptation_strength.item())
            torch.manual_seed(self.iter)
            loss = self.model.layers(torch.randn(8, 3)).square().mean()
            self.optim_wrapper.update_params(loss)
            for group in self.optim_wrapper.param_groups:
                group['lr'] *= 0.9
            hook.after_train_iter(
                self, self.iter, None,
                dict(diversity=torch.tensor(float(diversity))))
            self.iter += 1

    def state(self) -> dict:
        return copy.deepcopy(
            dict(
                model=self.model.state_dict(),
                optimizer=self.optim_wrapper.state_dict()['state']))


def make_hook(**kwargs) -> SafeTrainingHook:
    return SafeTrainingHook(interval=WINDOW, num_scales=2, **kwargs)


def assert_same(first, second) -> None:
    torch.testing.assert_close(first, second, rtol=0, atol=0)


def differs(first: dict, second: dict) -> bool:
    return any(not torch.equal(first['model'][k], second['model'][k])
               for k in first['model'])


GOOD, BAD = [9] * WINDOW, [3] * WINDOW


@pytest.mark.parametrize('optimizer', ['SGD', 'Adam'])
def test_restores_parameters_buffers_and_momentum(optimizer):
    runner, hook = Runner(optimizer), make_hook()
    hook.before_train_epoch(runner)
    runner.train(hook, GOOD)
    kept = runner.state()
    assert kept['optimizer'] and kept['model']['layers.1.running_mean'].any()
    for _ in range(3):  # a restored snapshot should not change by training
        runner.train(hook, BAD[:-1])
        assert differs(runner.state(), kept)
        runner.train(hook, BAD[-1:])
        assert_same(runner.state(), kept)
    runner.train(hook, GOOD)
    assert differs(runner.state(), kept)


def test_restores_the_state_before_the_first_iteration():
    runner, hook = Runner(), make_hook()
    hook.before_train_epoch(runner)
    kept = runner.state()
    assert not kept['optimizer']  # no momentum yet
    runner.train(hook, [9, 9, 3, 3])
    assert_same(runner.state(), kept)


def test_learning_rate_goes_on():
    runner, hook = Runner(), make_hook()
    hook.before_train_epoch(runner)
    runner.train(hook, [9, 9, 3, 3])
    rates = runner.optim_wrapper.get_lr()
    assert rates['lr'] == pytest.approx([0.05 * 0.9**4, 0.1 * 0.9**4])
    assert rates['base_lr'] == pytest.approx([0.1 * 0.9**4])


def test_gradients_that_were_not_stepped_with_are_dropped():
    runner, hook = Runner(), make_hook()
    hook.before_train_epoch(runner)
    runner.train(hook, GOOD[:-1])
    runner.model.layers(torch.randn(8, 3)).sum().backward()
    hook.after_train_iter(runner, 3, None, dict(diversity=torch.tensor(0.)))
    assert all(p.grad is None for p in runner.model.parameters())


def test_without_a_drop_nothing_is_touched():
    with_hook, without = Runner(), Runner()
    hook = make_hook()
    hook.before_train_epoch(with_hook)
    with_hook.train(hook, GOOD * 3)
    without.train(SafeTrainingHook(interval=1000), GOOD * 3)
    assert_same(with_hook.state(), without.state())


def ramp(count: int, length: int) -> list[float]:
    return [math.sin(math.pi / 2 * min(1, i / length)) for i in range(count)]


def test_strength_ramps_up_again_after_a_restore():
    runner, hook = Runner(), make_hook()
    hook.before_train_epoch(runner)
    runner.train(hook, GOOD * 2 + BAD + GOOD * 2 + BAD + GOOD)
    # Each drop is longer after the start of the ramp than that took.
    assert runner.strengths == pytest.approx(
        ramp(12, WINDOW) + ramp(12, WINDOW) + ramp(4, WINDOW))


def test_ramp_doubles_when_drops_follow_each_other():
    runner, hook = Runner(), make_hook()
    hook.before_train_epoch(runner)
    runner.train(hook, [9, 9, 3, 3] * 2 + GOOD * 3)
    assert runner.strengths == pytest.approx(
        ramp(4, 4) + ramp(4, 8) + ramp(12, 16), abs=1e-6)


def test_weak_adaptation_is_not_blamed():
    runner, hook = Runner(), make_hook()
    hook.before_train_epoch(runner)
    hook._ramp_iters = 1000
    before = runner.state()
    runner.train(hook, [9, 9, 3, 3])
    assert differs(runner.state(), before)
    assert hook._ramp_begin == 0


@pytest.mark.parametrize('ramp_iters', [WINDOW, 1000])
def test_weights_that_are_not_finite_are_no_snapshot(ramp_iters):
    """However weak the adaptation."""
    runner, hook = Runner(), make_hook()
    hook.before_train(runner)
    hook._ramp_iters = ramp_iters
    runner.train(hook, GOOD)
    kept = runner.state()
    runner.train(hook, GOOD[:-1])
    with torch.no_grad():
        runner.model.layers[0].weight[0] = math.nan
    runner.train(hook, GOOD[:1])
    assert_same(runner.state(), kept)
    runner.train(hook, GOOD)
    assert all(v.isfinite().all() for v in runner.state()['model'].values())
    assert differs(runner.state(), kept)


def plain_drop(previous, current, num_scales, tolerance) -> bool:
    dropped = False
    for scale in range(num_scales):
        means = [p.mean() for p in np.array_split(current, 2**scale)]
        if len(previous):
            last = np.array_split(previous, 2**scale)[-1].mean()
            means.insert(0, last)
        dropped |= bool((np.diff(means) < -tolerance).any())
    return dropped


def test_drop_is_found_as_by_a_plain_loop():
    random = np.random.RandomState(0)
    found = []
    for _ in range(300):
        size = random.randint(8, 30)
        previous = random.randint(3, 7, random.choice([0, size]))
        current = random.randint(3, 7, size)
        arguments = random.randint(1, 5), random.uniform(0, 2)
        found.append(has_dropped(list(previous), list(current), *arguments))
        assert found[-1] == plain_drop(previous, current, *arguments)
    assert 50 < sum(found) < 250


@pytest.mark.parametrize('previous, current, num_scales, expected', [
    ([9] * 8, [8] * 8, 1, False),  # by just the tolerance
    ([9] * 8, [7.9] * 8, 1, True),
    ([], [2] * 8, 4, False),
    ([5] * 8, [9] * 8, 4, False),  # a rise
    ([9] * 8, [9] * 4 + [7] * 4, 1, False),  # the mean falls by 1
    ([9] * 8, [9] * 4 + [7] * 4, 2, True),
])
def test_drops_at_several_scales(previous, current, num_scales, expected):
    assert has_dropped(previous, current, num_scales, 1.) == expected


def through_a_file(checkpoint: dict) -> dict:
    file = io.BytesIO()
    torch.save(checkpoint, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


def test_state_goes_through_a_checkpoint():
    """Saved within an interval that ends with a restore, which is all below
    the interval before; after another restore, which doubled the ramp."""
    history = [9, 9, 3, 3] + GOOD + BAD + GOOD
    whole, hook = Runner(), make_hook()
    hook.before_train_epoch(whole)
    whole.train(hook, history[:10])
    checkpoint = dict(state=whole.state())
    hook.before_save_checkpoint(whole, checkpoint)
    checkpoint = through_a_file(checkpoint)
    groups = copy.deepcopy(
        whole.optim_wrapper.optimizer.state_dict()['param_groups'])
    whole.train(hook, history[10:])

    resumed, hook = Runner(), make_hook()
    hook.after_load_checkpoint(resumed, checkpoint)
    resumed.iter = 10
    resumed.model.load_state_dict(checkpoint['state']['model'])
    resumed.optim_wrapper.load_state_dict(
        dict(state=checkpoint['state']['optimizer'], param_groups=groups))
    hook.before_train_epoch(resumed)
    resumed.train(hook, history[10:])
    assert_same(resumed.state(), whole.state())
    assert resumed.strengths == whole.strengths[10:]
    assert 0 in resumed.strengths  # it was restored


def test_weights_to_start_from_bring_no_state():
    donor, hook = Runner(), make_hook()
    hook.before_train_epoch(donor)
    donor.train(hook, GOOD + [9, 9])
    checkpoint = {}
    hook.before_save_checkpoint(donor, checkpoint)

    runner, hook = Runner(), make_hook()
    with torch.no_grad():
        runner.model.layers[0].weight.add_(1)
    hook.after_load_checkpoint(runner, checkpoint)
    hook.before_train_epoch(runner)
    kept = runner.state()
    runner.train(hook, [9, 9, 3, 3])
    assert_same(runner.state(), kept)
    assert runner.strengths == pytest.approx(ramp(4, WINDOW))


def test_resumes_a_training_without_the_hook():
    runner, hook = Runner(), make_hook()
    runner.iter = 10
    hook.after_load_checkpoint(runner, {})
    hook.before_train_epoch(runner)
    runner.train(hook, GOOD)
    assert runner.strengths == pytest.approx(ramp(4, WINDOW))


def test_model_that_cannot_be_controlled_is_refused():
    runner = Runner()
    runner.model = nn.Linear(2, 2)
    with pytest.raises(TypeError, match='SSRTClassifier.*got Linear'):
        make_hook().before_train_epoch(runner)


@pytest.mark.parametrize('options, message', [
    (dict(interval=0), '`interval`.*at least 1, but got 0'),
    (dict(num_scales=0), '`num_scales`.*at least 1'),
    (dict(interval=15), r'`num_scales`.*\[1, 4\].*`interval` of 15.*got 5'),
    (dict(num_scales=10**12), r'`num_scales`.*\[1, 10\]'),
    (dict(tolerance=-1), '`tolerance`.*at least 0'),
])
def test_bad_option_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        SafeTrainingHook(**options)
