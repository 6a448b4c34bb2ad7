"""RelativeClip: its formula, and what it promises in a training."""
from __future__ import annotations

import copy
import math

import pytest
import torch
from torch import nn

from mmgh.harmonizers import Constant, GHPlusPlus, RelativeClip
from mmgh.optim import GHOptimWrapper
from mmgh.task_losses import attach_task_losses
from .gradient_pairs import gramian_of, pair_at_angle

TASKS = ('alignment', 'cls')


def prepared(tasks=TASKS, **options) -> RelativeClip:
    harmonizer = RelativeClip(**options)
    harmonizer.prepare(tasks)
    return harmonizer


def gramians(count: int, scale: float = 1.) -> list[torch.Tensor]:
    """Of gradients whose norms vary from step to step."""
    generator = torch.Generator().manual_seed(0)
    gradients = torch.randn(count, 2, 6, generator=generator).double()
    norms = torch.rand(count, 2, 1, generator=generator).double() + 0.1
    return [gramian_of(scale * g) for g in gradients * norms]


@pytest.mark.parametrize('momentum', [0., 0.9])
def test_weights_equal_a_plain_loop(momentum):
    harmonizer = prepared(ratio=0.5, momentum=momentum)
    mean, share, largest, active = [0., 0.], 0., 0., 0
    for gramian in gramians(30):
        share = momentum * share + 1 - momentum
        mean = [
            momentum * old + (1 - momentum) * gramian[i, i].item()
            for i, old in enumerate(mean)
        ]
        alignment, cls = (math.sqrt(value / share) for value in mean)
        largest = max(largest, cls)
        expected = min(1., 0.5 * largest / alignment)
        weights = harmonizer(gramian).tolist()
        assert weights == pytest.approx([expected, 1.])
        active += expected < 1
    assert active > 5


def test_weights_are_at_most_one_and_blind_for_one_scale_of_both():
    first, second = prepared(), prepared()
    for plain, scaled in zip(gramians(30), gramians(30, scale=1e4)):
        weights = first(plain)
        assert (weights <= 1).all() and weights[1] == 1
        torch.testing.assert_close(second(scaled), weights)


def test_once_active_a_factor_of_the_alignment_changes_nothing():
    """On the clipped gradient; the reference is told by its name."""
    results = []
    for factor in (10., 1000.):
        harmonizer = prepared(('cls', 'alignment'), reference='cls')
        sums = []
        for index in range(20):
            torch.manual_seed(index)
            gradients = torch.randn(2, 6, dtype=torch.double)
            gradients[1] *= factor
            weights = harmonizer(gramian_of(gradients))
            assert weights[1] < 1
            sums.append(weights @ gradients)
        results.append(torch.stack(sums))
    torch.testing.assert_close(*results)


def test_clipped_first_then_harmonized():
    gradients = pair_at_angle(130, norm_ratio=0.1)
    harmonizer = prepared(harmonizer=dict(type='mmgh.GHPlusPlus'))
    weights = harmonizer(gramian_of(gradients))
    clip = gradients.new_tensor([0.02, 1.])
    clipped = gradients * clip[:, None]
    torch.testing.assert_close(
        weights, clip * GHPlusPlus()(gramian_of(clipped)).clamp(-2, 2))
    torch.testing.assert_close(harmonizer.scalars(),
                               dict(clip_alignment=clip[0]))


class Net(nn.Module):
    """A trunk, a classifier, and a discriminator behind the trunk."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Linear(3, 4)
        self.head = nn.Linear(4, 2)
        self.discriminator = nn.Linear(4, 1)

    def losses(self, factor: float, index: int) -> dict:
        torch.manual_seed(index)
        features = self.trunk(torch.randn(8, 3)).tanh()
        return dict(
            alignment=factor * self.discriminator(features).square().mean(),
            cls=self.head(features).square().mean())


@pytest.mark.parametrize('probe', ['parameters', 'modules'])
@pytest.mark.parametrize('accumulative_counts', [1, 2])
def test_shared_parameters_do_not_notice_a_factor(
        probe, accumulative_counts, message_hub):
    """The discriminator gets its gradient whole."""
    torch.manual_seed(0)
    original = Net()
    options = {}
    if probe == 'modules':
        options = dict(apply_to='loss', shared=['trunk'])
    results = []
    for factor in (30., 3000.):
        net = copy.deepcopy(original)
        wrapper = GHOptimWrapper(
            optimizer=torch.optim.SGD(net.parameters(), lr=0.),
            harmonizer=dict(type='mmgh.RelativeClip'),
            probe=probe,
            accumulative_counts=accumulative_counts,
            **options)
        wrapper.initialize_count_status(net, 0, 6)
        for index in range(5):
            losses = net.losses(factor, index)
            total = attach_task_losses(sum(losses.values()), losses)
            wrapper.backward(wrapper.scale_loss(total))
            if wrapper.should_update() and index < 3:
                wrapper.zero_grad()
        results.append({n: p.grad for n, p in net.named_parameters()})
    first, second = results
    for name in first:
        ratio = (100. if name.startswith('discriminator')
                 and probe == 'parameters' else 1.)
        torch.testing.assert_close(second[name], ratio * first[name])


def test_default_is_for_what_tasks_share():
    def apply_to(**options):
        wrapper = GHOptimWrapper(
            optimizer=torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=1.),
            **options)
        return wrapper._probe.apply_to

    clip = dict(type='mmgh.RelativeClip')
    assert apply_to(harmonizer=clip) == 'shared'
    assert apply_to(harmonizer=clip, apply_to='loss') == 'loss'
    assert apply_to(harmonizer=dict(type='mmgh.GH')) == 'loss'


@pytest.mark.parametrize('options, error, message', [
    (dict(ratio=0), ValueError, '`ratio`.*above 0.*got 0'),
    (dict(momentum=1.), ValueError, r'`momentum`.*\[0, 1\).*got 1.0'),
    (dict(harmonizer=3), TypeError, '`harmonizer`.*got 3'),
])
def test_bad_options_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        RelativeClip(**options)


def test_reference_that_is_no_task_is_refused():
    with pytest.raises(ValueError, match=r"`reference`.*'alignment'.*'clss'"):
        prepared(reference='clss')


def test_a_harmonizer_within_has_its_memory(message_hub):
    inner = RelativeClip(harmonizer=Constant(dict(alignment=0.5)))
    inner.prepare(TASKS)
    for gramian in gramians(5):
        inner(gramian)
    assert set(inner.state_dict()) == {
        'squares', 'share', 'reference_square', 'harmonizer'
    }
