"""Steps of GHOptimWrapper against steps of the stock wrapper."""
from __future__ import annotations

import copy
from functools import partial
from math import isfinite, isnan

import pytest
import torch
from mmengine.optim import OptimWrapper
from torch import nn
from torch.optim import SGD
from torch.utils.checkpoint import checkpoint

from mmgh.divergence import pop_diverged_tasks
from mmgh.harmonizers import GH, GHPlusPlus
from mmgh.optim import GHOptimWrapper
from mmgh.task_losses import attach_task_losses
from .two_task_model import make_batch, make_model, total_loss

HARMONIZERS = [dict(type='mmgh.GH'), dict(type='mmgh.GHPlusPlus')]


def gh_wrapper(model, harmonizer=HARMONIZERS[0], **kwargs):
    kwargs.setdefault('max_weight', float('inf'))
    return GHOptimWrapper(
        optimizer=SGD(model.parameters(), lr=0.05, momentum=0.9),
        harmonizer=harmonizer,
        **kwargs)


def stock_wrapper(model, **kwargs):
    return OptimWrapper(
        optimizer=SGD(model.parameters(), lr=0.05, momentum=0.9), **kwargs)


def independent_weights(model, batch, harmonizer):
    """Weights from gradients that one full backward pass each gives."""
    names = ('loss_alignment', 'loss_cls')
    gradients = []
    for name in names:
        probe = copy.deepcopy(model)
        probe(**batch)[name].backward()
        gradients.append(
            torch.cat([p.grad.flatten() for p in probe.trunk.parameters()]))
    gradients = torch.stack(gradients).double()
    weights = harmonizer(gradients @ gradients.T)
    return dict(zip(names, weights.float()))


def grads(model):
    return {name: p.grad.clone() for name, p in model.named_parameters()}


def backward_of_gh(model, batch, **kwargs):
    gh_wrapper(model, **kwargs).backward(total_loss(model, batch))
    return grads(model)


@pytest.mark.parametrize('harmonizer, oracle',
                         [*zip(HARMONIZERS, [GH(), GHPlusPlus()])])
def test_step_equals_stock_step_on_the_weighted_loss(harmonizer, oracle):
    model, batch = make_model(conflict=True), make_batch()
    reference = copy.deepcopy(model)
    gh, stock = gh_wrapper(model, harmonizer), stock_wrapper(reference)
    assert min(independent_weights(model, batch, oracle).values()) > 1.1
    for _ in range(3):
        weights = independent_weights(reference, batch, oracle)
        losses = reference(**batch)
        stock.update_params(sum(w * losses[k] for k, w in weights.items()))
        gh.update_params(total_loss(model, batch))
        torch.testing.assert_close(model.state_dict(), reference.state_dict())


@pytest.mark.parametrize('harmonizer', HARMONIZERS)
@pytest.mark.parametrize('apply_to', ['loss', 'shared'])
def test_tasks_on_separate_batches_without_conflict_equal_stock_bit_for_bit(
        harmonizer, apply_to):
    """Where two tasks meet in the parameters only, even rounding agrees."""
    model = nn.Linear(4, 1)
    reference = copy.deepcopy(model)
    gh = gh_wrapper(model, harmonizer, apply_to=apply_to)
    stock = stock_wrapper(reference)
    batches = make_batch(seed=1)['inputs'], make_batch(seed=2)['inputs']
    for _ in range(5):
        for net, wrapper in ((model, gh), (reference, stock)):
            parts = [(net(x).squeeze(1) - 9).square().mean() for x in batches]
            wrapper.update_params(
                attach_task_losses(parts[0] + parts[1],
                                   dict(zip('ab', parts))))
        assert torch.equal(model.weight, reference.weight)
        assert torch.equal(model.bias, reference.bias)


@pytest.mark.parametrize('harmonizer', HARMONIZERS)
def test_no_conflict_equals_stock_to_rounding(harmonizer, message_hub):
    """A shared forward sums in another order than one backward pass does."""
    model, batch = make_model(conflict=False), make_batch()
    reference = copy.deepcopy(model)
    gh, stock = gh_wrapper(model, harmonizer), stock_wrapper(reference)
    for _ in range(5):
        gh.update_params(total_loss(model, batch))
        stock.update_params(total_loss(reference, batch))
        assert message_hub.get_scalar('train/conflict').current() == 0
    torch.testing.assert_close(
        model.state_dict(), reference.state_dict(), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize('harmonizer', HARMONIZERS)
def test_apply_to_shared_leaves_task_parameters_alone(harmonizer):
    model, batch = make_model(conflict=True), make_batch()
    total_loss(model, batch).backward()
    plain = grads(model)
    model.zero_grad()
    shared = backward_of_gh(model, batch, harmonizer=harmonizer,
                            apply_to='shared')
    model.zero_grad()
    whole = backward_of_gh(model, batch, harmonizer=harmonizer)
    for name in plain:
        if name.startswith('trunk'):
            assert not torch.allclose(shared[name], plain[name], rtol=1e-2)
            torch.testing.assert_close(shared[name], whole[name])
        else:
            torch.testing.assert_close(shared[name], plain[name])
            assert not torch.allclose(whole[name], plain[name], rtol=1e-2)


@pytest.mark.parametrize('conflict', [True, False])
def test_two_micro_batches_equal_one_batch_of_double_size(conflict):
    model, batch = make_model(conflict), make_batch(12)
    reference = copy.deepcopy(model)
    halves = [{k: v[i:i + 6] for k, v in batch.items()} for i in (0, 6)]
    accumulating = gh_wrapper(model, accumulative_counts=2)
    whole = gh_wrapper(reference)
    for _ in range(3):
        for half in halves:
            accumulating.update_params(total_loss(model, half))
        whole.update_params(total_loss(reference, batch))
        torch.testing.assert_close(model.state_dict(), reference.state_dict())


def test_nothing_is_stepped_within_an_accumulation():
    model = make_model(conflict=True)
    before = copy.deepcopy(model.state_dict())
    wrapper = gh_wrapper(model, accumulative_counts=2)
    wrapper.update_params(total_loss(model, make_batch()))
    torch.testing.assert_close(model.state_dict(), before, rtol=0, atol=0)
    wrapper.zero_grad()  # drops what was accumulated
    wrapper.backward(total_loss(model, make_batch()))
    once = grads(model)
    model.zero_grad()
    fresh = gh_wrapper(model)
    fresh.backward(total_loss(model, make_batch()))
    for name, grad in grads(model).items():
        torch.testing.assert_close(once[name], grad)


def test_clipping_is_of_the_harmonized_gradient(message_hub):
    model, batch = make_model(conflict=True), make_batch()
    norm = torch.cat([
        g.flatten()
        for g in backward_of_gh(copy.deepcopy(model), batch).values()
    ]).norm()
    before = copy.deepcopy(model.state_dict())
    wrapper = GHOptimWrapper(
        optimizer=SGD(model.parameters(), lr=1.),
        harmonizer=dict(type='mmgh.GH'),
        max_weight=float('inf'),
        clip_grad=dict(max_norm=0.5))
    wrapper.update_params(total_loss(model, batch))
    step = torch.cat([(before[k] - v).flatten()
                      for k, v in model.state_dict().items()])
    assert step.norm().item() == pytest.approx(0.5, rel=1e-4)
    assert message_hub.get_scalar(
        'train/grad_norm').current() == pytest.approx(norm.item(), rel=1e-4)


def test_max_weight_bounds_each_weight(message_hub):
    model, batch = make_model(conflict=True), make_batch()
    backward_of_gh(model, batch)
    logged = [f'train/weight_{task}' for task in ('alignment', 'cls')]
    assert any(message_hub.get_scalar(k).current() > 1.2 for k in logged)
    backward_of_gh(model, batch, max_weight=1.2)
    for name in logged:
        assert message_hub.get_scalar(name).current() <= 1.2 + 1e-6


def test_parameters_that_a_task_does_not_reach_count_as_zero():
    """Naming every module as shared changes the norms, not the product."""
    model, batch = make_model(conflict=True), make_batch()
    named = gh_wrapper(
        model, shared=['trunk', 'classifier', 'discriminator'])
    named.initialize_count_status(model, 0, 10)
    named.backward(total_loss(model, batch))
    result = grads(model)

    probes = {}
    for name in ('loss_alignment', 'loss_cls'):
        probe = copy.deepcopy(model)
        probe.zero_grad()
        probe(**batch)[name].backward()
        probes[name] = torch.cat([
            torch.zeros_like(p).flatten()
            if p.grad is None else p.grad.flatten()
            for p in probe.parameters()
        ])
    matrix = torch.stack(list(probes.values()))
    expected = GH()(matrix @ matrix.T) @ matrix
    torch.testing.assert_close(
        torch.cat([g.flatten() for g in result.values()]), expected)


@pytest.mark.parametrize('apply_to', ['loss', 'shared'])
def test_gradients_that_autograd_shares_are_weighted_once(apply_to):
    """The gradients of two added parameters are one tensor in memory."""
    params = [nn.Parameter(torch.tensor([1., 2.])) for _ in range(3)]
    x, y, lonely = params
    parts = dict(a=(x + y).sum(), b=((x + y) * torch.tensor([-2., 1.])).sum())
    parts['b'] = parts['b'] + lonely.sum()
    wrapper = GHOptimWrapper(
        optimizer=SGD(params, lr=1.),
        harmonizer=dict(type='mmgh.GH'),
        apply_to=apply_to,
        clip_grad=dict(max_norm=1e6))
    wrapper.backward(attach_task_losses(parts['a'] + parts['b'], parts))
    # Over x and y: a.a = 4, a.b = -2, b.b = 10, w = (1.5, 1.2).
    expected = 1.5 * torch.tensor([1., 1.]) + 1.2 * torch.tensor([-2., 1.])
    torch.testing.assert_close(x.grad, expected)
    torch.testing.assert_close(y.grad, expected)
    torch.testing.assert_close(
        lonely.grad, torch.full((2, ), 1.2 if apply_to == 'loss' else 1.))
    x.grad.zero_()
    torch.testing.assert_close(y.grad, expected)


def test_log_names_the_angle(message_hub):
    model, batch = make_model(conflict=True), make_batch()
    backward_of_gh(model, batch)
    cosine = message_hub.get_scalar('train/cosine').current()
    angle = message_hub.get_scalar('train/angle').current()
    assert message_hub.get_scalar('train/conflict').current() == 1
    assert -1 <= cosine < 0
    assert torch.tensor(cosine).arccos().rad2deg().item() == pytest.approx(
        angle, abs=1e-3)


@pytest.mark.parametrize('sign', [1, -1])
def test_three_tasks_in_pairs(sign, message_hub):
    """A task in two pairs gets the product of its weights."""
    weight = nn.Parameter(torch.tensor([1., 2.]))
    directions = dict(
        a=torch.tensor([1., 0.]),
        b=torch.tensor([-1., sign * 1.]),
        c=torch.tensor([-2., 1.]))
    parts = {name: (d * weight).sum() for name, d in directions.items()}
    wrapper = GHOptimWrapper(
        optimizer=SGD([weight], lr=1.),
        harmonizer=dict(type='mmgh.GH'),
        pairs=[('a', 'b'), ('a', 'c')],
        max_weight=float('inf'))
    wrapper.backward(attach_task_losses(sum(parts.values()), parts))
    # By hand: w1 = 1 - g1.g2 / |g1|^2 of each pair.
    expected = (1 + 1) * (1 + 2) * directions['a'] + (
        1 + 1 / 2) * directions['b'] + (1 + 2 / 5) * directions['c']
    torch.testing.assert_close(weight.grad, expected)
    assert message_hub.get_scalar('train/angle_a_b').current() > 90


def test_one_named_pair_is_logged_like_the_automatic_one(message_hub):
    model, batch = make_model(conflict=True), make_batch()
    backward_of_gh(model, batch, pairs=[('cls', 'alignment')])
    named = message_hub.get_scalar('train/angle').current()
    backward_of_gh(model, batch)
    assert message_hub.get_scalar('train/angle').current() == named
    assert 'train/angle_cls_alignment' not in message_hub.log_scalars


@pytest.mark.parametrize('reentrant', [True, False])
def test_checkpointed_activations_change_nothing(reentrant):
    """Reentrant checkpoints are what ``with_cp=True`` of a backbone uses."""
    model, batch = make_model(conflict=True), make_batch()
    batch['inputs'].requires_grad_()  # reentrant checkpoints ask for it
    expected = backward_of_gh(model, batch)
    model.zero_grad()
    model.trunk.forward = partial(
        checkpoint, torch.nn.Sequential(*model.trunk), use_reentrant=reentrant)
    result = backward_of_gh(model, batch)
    for name, grad in result.items():
        torch.testing.assert_close(grad, expected[name])


def test_state_survives_a_round_trip():
    model = make_model(conflict=True)
    wrapper = gh_wrapper(model)
    for _ in range(3):
        wrapper.update_params(total_loss(model, make_batch()))
    twin = copy.deepcopy(model)
    restored = gh_wrapper(twin)
    restored.load_state_dict(copy.deepcopy(wrapper.state_dict()))
    for _ in range(3):
        wrapper.update_params(total_loss(model, make_batch()))
        restored.update_params(total_loss(twin, make_batch()))
    torch.testing.assert_close(
        model.state_dict(), twin.state_dict(), rtol=0, atol=0)


@pytest.mark.parametrize('probe', ['parameters', 'features'])
@pytest.mark.parametrize('apply_to', ['loss', 'shared'])
def test_infinite_loss_leaves_an_infinite_gradient(probe, apply_to,
                                                   message_hub):
    """As in a stock step; what was logged before is not repeated."""
    model, batch = make_model(conflict=True), make_batch()
    backward_of_gh(model, batch, probe=probe, apply_to=apply_to)
    assert not pop_diverged_tasks(message_hub)
    batch['labels'] = batch['labels'] * float('inf')
    result = backward_of_gh(model, batch, probe=probe, apply_to=apply_to)
    assert not any(g.isfinite().all() for g in result.values())
    assert set(pop_diverged_tasks(message_hub)) == {'cls', 'alignment'}
    names = {f'train/{name}' for name in ('conflict', 'angle', 'weight_cls')}
    assert names < set(message_hub.log_scalars)
    for buffer in message_hub.log_scalars.values():
        first, second = buffer.data[0]
        assert isfinite(first) and isnan(second)


@pytest.mark.parametrize('probe', ['parameters', 'features'])
@pytest.mark.parametrize('task', ['cls', 'alignment'])
def test_hooks_are_told_which_gradient_is_not_finite(probe, task, message_hub):
    model = make_model(conflict=True)
    losses_of_heads = model.losses_of_heads

    def with_infinite_slope(*args) -> dict:
        losses = losses_of_heads(*args)
        loss = losses[f'loss_{task}']
        losses[f'loss_{task}'] = loss + (loss - loss.detach()).sqrt()
        return losses

    model.losses_of_heads = with_infinite_slope
    backward_of_gh(model, make_batch(), probe=probe)
    assert pop_diverged_tasks(message_hub) == [task]
    assert 'diverged_tasks' not in message_hub.state_dict()['runtime_info']


@pytest.mark.parametrize('kwargs, message', [
    (dict(apply_to='all'), "`apply_to`.*'shared'.*'all'"),
    (dict(max_weight=0.5), '`max_weight`.*at least 1.*0.5'),
    (dict(pairs=[('a', 'a')]), '`pairs`.*two different'),
    (dict(pairs=[('a', 'b', 'c')]), '`pairs`.*2 items'),
    (dict(pairs=['ab']), r"`pairs`.*got \['ab'\]"),
    (dict(pairs=[]), r'`pairs`.*at least one.*got \[\]'),
    (dict(shared=[]), r'`shared`.*at least one.*got \[\]'),
    (dict(harmonizer=None), '`harmonizer` should be a config.*None'),
    (dict(harmonizer='mmgh.GH'), "`harmonizer` should be a config.*'mmgh.GH'"),
])
def test_bad_option_is_refused(kwargs, message):
    with pytest.raises((ValueError, TypeError), match=message):
        gh_wrapper(nn.Linear(1, 1), **kwargs)


def test_unknown_harmonizer_is_refused():
    with pytest.raises(KeyError, match='mmgh.GHHH is not in the .*task util'):
        gh_wrapper(nn.Linear(1, 1), dict(type='mmgh.GHHH'))


def test_loss_without_tasks_is_refused():
    model = make_model(conflict=True)
    wrapper = gh_wrapper(model)
    with pytest.raises(ValueError, match='UDAClassifier.*TaskLossMixin'):
        wrapper.update_params(model(**make_batch())['loss_cls'])


def test_parts_that_do_not_make_up_the_total_are_refused():
    model = make_model(conflict=True)
    losses = model(**make_batch())
    parts = dict(a=losses['loss_cls'], b=losses['loss_alignment'])
    total = attach_task_losses(1 + sum(parts.values()), parts)
    with pytest.raises(ValueError, match=r"\['a', 'b'\].*sum.*differ.* 1\."):
        gh_wrapper(model).update_params(total)


def test_task_without_gradient_is_refused():
    model = make_model(conflict=True)
    parts = dict(a=model(**make_batch())['loss_cls'], b=torch.tensor(1.))
    total = attach_task_losses(sum(parts.values()), parts)
    with pytest.raises(ValueError, match='task `b`.*no gradient'):
        gh_wrapper(model).update_params(total)


@pytest.mark.parametrize('kwargs, count, message', [
    ({}, 3, '`pairs` should name the tasks'),
    ({}, 1, '`pairs` should name the tasks'),
    (dict(pairs=[('a', 'z')]), 2, r"tasks of the model.*'z'"),
])
def test_pairs_must_fit_the_tasks(kwargs, count, message):
    model = nn.Linear(4, 1)
    parts = {name: model(torch.ones(4)).sum() for name in 'abc'[:count]}
    loss = attach_task_losses(sum(parts.values()), parts)
    with pytest.raises(ValueError, match=message):
        gh_wrapper(model, **kwargs).update_params(loss)


def test_tasks_without_common_parameters_are_refused():
    model = make_model(conflict=True)
    model.trunk.requires_grad_(False)
    with pytest.raises(RuntimeError, match='share trained parameters'):
        gh_wrapper(model).update_params(total_loss(model, make_batch()))


def test_unknown_shared_module_is_refused_before_training():
    model = make_model(conflict=True)
    wrapper = gh_wrapper(model, shared=['trunk', 'neck'])
    with pytest.raises(ValueError, match="`shared`.*'neck'.*'trunk'"):
        wrapper.initialize_count_status(model, 0, 10)
