"""Which tasks are harmonized with each other, and by what."""
from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.optim import SGD

from mmgh.harmonizers import GH, GHPlusPlus
from mmgh.optim import GHOptimWrapper
from mmgh.task_losses import attach_task_losses

DIRECTIONS = dict(
    a=torch.tensor([1., 0., 0.]),
    b=torch.tensor([-1., 1., 1.]),
    c=torch.tensor([-2., 1., -1.]))
PAIRS = [('a', 'b'), ('a', 'c')]


def harmonized_gradient(names='abc', **options) -> torch.Tensor:
    weight = nn.Parameter(torch.ones(3))
    parts = {name: (DIRECTIONS[name] * weight).sum() for name in names}
    options.setdefault('max_weight', float('inf'))
    wrapper = GHOptimWrapper(optimizer=SGD([weight], lr=1.), **options)
    wrapper.backward(attach_task_losses(sum(parts.values()), parts))
    return weight.grad


def gramian_of(*names: str) -> torch.Tensor:
    rows = torch.stack([DIRECTIONS[name] for name in names])
    return rows @ rows.T


def test_each_pair_has_its_own_harmonizer(message_hub):
    """Weights of a task in two pairs multiply."""
    gradient = harmonized_gradient(
        harmonizer=[
            dict(type='mmgh.GH'),
            dict(type='mmgh.GHPlusPlus', harmonic_range=0.2)
        ],
        pairs=PAIRS)
    a_b = GH()(gramian_of('a', 'b'))
    a_c = GHPlusPlus(harmonic_range=0.2)(gramian_of('a', 'c'))
    assert min(*a_b, *a_c) != 1
    expected = (
        a_b[0] * a_c[0] * DIRECTIONS['a'] + a_b[1] * DIRECTIONS['b'] +
        a_c[1] * DIRECTIONS['c'])
    torch.testing.assert_close(gradient, expected)
    assert set(message_hub.log_scalars) == {
        f'train/{name}_{pair}'
        for pair in ('a_b', 'a_c') for name in (
            'conflict', 'cosine', 'angle', 'norm_ratio', 'opposed',
            f'weight_{pair[0]}', f'weight_{pair[2]}',
            f'grad_norm_{pair[0]}', f'grad_norm_{pair[2]}')
    }


def test_function_of_all_tasks_needs_no_pairs(message_hub):
    gradient = harmonized_gradient(
        harmonizer=lambda gramian: gramian.diagonal())
    expected = sum(d * (d @ d) for d in DIRECTIONS.values())
    torch.testing.assert_close(gradient, expected)
    assert set(message_hub.log_scalars) == {
        *(f'train/{name}_{pair}' for pair in ('a_b', 'a_c', 'b_c')
          for name in ('conflict', 'angle')),
        'train/opposed',
        *(f'train/{name}_{task}' for name in ('weight', 'grad_norm')
          for task in 'abc')
    }
    assert message_hub.get_scalar('train/angle_b_c').current() < 90


@pytest.mark.parametrize('name, options', [('UPGrad', {}),
                                           ('CAGrad', dict(c=0.5)),
                                           ('MGDA', {}), ('IMTLG', {})])
@pytest.mark.parametrize('names', ['ab', 'abc'])
def test_torchjd_steps_as_its_own_aggregator(name, options, names):
    aggregation = pytest.importorskip('torchjd.aggregation')
    jacobian = torch.stack([DIRECTIONS[task] for task in names])
    expected = getattr(aggregation, name)(**options)(jacobian)
    gradient = harmonized_gradient(
        names, harmonizer=dict(type='mmgh.TorchJD', name=name, **options))
    torch.testing.assert_close(
        gradient / gradient.norm(),
        expected / expected.norm(),
        rtol=1e-2,
        atol=1e-2)


@pytest.mark.parametrize('weights', [None, [1., 1., 1.], 1.])
def test_weights_that_are_no_tensor_are_refused(weights):
    with pytest.raises(ValueError, match=r'3 weights as a tensor.*returned'):
        harmonized_gradient(harmonizer=lambda gramian: weights)


@pytest.mark.parametrize('harmonizer', [GH, None, [], 'mmgh.GH'])
def test_what_is_no_harmonizer_is_refused(harmonizer):
    with pytest.raises((TypeError, ValueError), match='`harmonizer` should'):
        harmonized_gradient(harmonizer=harmonizer)


def test_weights_of_another_number_are_refused():
    with pytest.raises(ValueError, match=r'return 3 weights.*shape \(2,\)'):
        harmonized_gradient(harmonizer=lambda gramian: torch.ones(2))


@pytest.mark.parametrize('harmonizer', [[dict(type='mmgh.GH')] * 3, []])
def test_one_harmonizer_for_each_pair(harmonizer):
    with pytest.raises(ValueError, match=r"`harmonizer`.*each of the `pairs`"):
        harmonized_gradient(harmonizer=harmonizer, pairs=PAIRS)


def test_list_of_harmonizers_without_pairs_is_refused():
    with pytest.raises(ValueError, match='each of the `pairs` None'):
        harmonized_gradient(harmonizer=[dict(type='mmgh.GH')])


@pytest.mark.parametrize('value', [float('nan'), float('inf')])
@pytest.mark.parametrize('max_weight', [None, float('inf')])
def test_weights_that_are_not_finite_count_as_one(
        value, max_weight, message_hub):
    gradient = harmonized_gradient(
        'ab',
        harmonizer=lambda gramian: torch.tensor([1., value]),
        max_weight=max_weight)
    torch.testing.assert_close(gradient, DIRECTIONS['a'] + DIRECTIONS['b'])
    assert message_hub.get_scalar('train/weight_b').current() == 1


@pytest.mark.parametrize('harmonizer, max_weight, weights', [
    (GH(), None, (2, 4 / 3)),
    (GH(), float('inf'), (3, 4 / 3)),
    (GH(), 1.5, (1.5, 4 / 3)),
    (lambda gramian: torch.tensor([5., -7.]), None, (2, -2)),
    (lambda gramian: torch.tensor([5., -7.]), float('inf'), (5, -7)),
    (lambda gramian: torch.tensor([5., -7.]), 6, (5, -6)),
])
def test_weights_are_bounded_as_the_harmonizer_or_the_user_says(
        harmonizer, max_weight, weights):
    """GH's weight of a is 3: its gradient is short."""
    gradient = harmonized_gradient(
        'ac', harmonizer=harmonizer, max_weight=max_weight)
    torch.testing.assert_close(
        gradient, weights[0] * DIRECTIONS['a'] + weights[1] * DIRECTIONS['c'])


@pytest.mark.parametrize('harmonizer', [
    dict(type='mmgh.GH'), [dict(type='mmgh.GHPlusPlus')] * 2])
def test_bound_that_would_turn_harmonization_off_is_refused(harmonizer):
    with pytest.raises(
            ValueError,
            match='`max_weight`.* above 1, since GH.* none below 1.* got 1'):
        harmonized_gradient(harmonizer=harmonizer, pairs=PAIRS, max_weight=1)


@pytest.mark.parametrize('harmonizer, weights', [
    # A quarter of the excess of an angle of 144.7 degrees.
    (GHPlusPlus(form='published'), (1, 1 - 2 * math.sin(0.23883))),
    (lambda gramian: torch.tensor([0.5, -7.]), (0.5, -1)),
])
def test_bound_of_one_is_for_weights_below_one(harmonizer, weights):
    gradient = harmonized_gradient(
        'ac', harmonizer=harmonizer, max_weight=1)
    torch.testing.assert_close(
        gradient, weights[0] * DIRECTIONS['a'] + weights[1] * DIRECTIONS['c'])


def steps_with(model_pairs, **options) -> torch.Tensor:
    """As above, of a model that names pairs."""
    weight = nn.Parameter(torch.ones(3))
    parts = {name: (d * weight).sum() for name, d in DIRECTIONS.items()}
    wrapper = GHOptimWrapper(optimizer=SGD([weight], lr=1.), **options)
    total = attach_task_losses(sum(parts.values()), parts, pairs=model_pairs)
    wrapper.backward(wrapper.scale_loss(total))
    return weight.grad


HALF = dict(harmonizer=GHPlusPlus(harmonic_range=0.2))


def test_pairs_of_the_model_are_harmonized(message_hub):
    """In the order that the model says: task 1 is another one."""
    for pairs in (PAIRS, [('b', 'a')]):
        torch.testing.assert_close(
            steps_with(pairs, **HALF), steps_with(None, pairs=pairs, **HALF))
    assert not torch.equal(
        steps_with([('b', 'a')], **HALF), steps_with([('a', 'b')], **HALF))


def test_pairs_of_the_user_come_first(message_hub):
    torch.testing.assert_close(
        steps_with(PAIRS, pairs=[('c', 'b')], **HALF),
        steps_with(None, pairs=[('c', 'b')], **HALF))


def test_one_harmonizer_for_each_pair_of_the_model(message_hub):
    both = [GH(), GHPlusPlus()]
    torch.testing.assert_close(
        steps_with(PAIRS, harmonizer=both),
        steps_with(None, pairs=PAIRS, harmonizer=both))
    with pytest.raises(ValueError, match='each of the `pairs`'):
        steps_with(PAIRS, harmonizer=[GH()] * 3)


def test_functions_of_all_tasks_get_them_in_the_order_of_the_pairs(
        message_hub):
    seen = []

    def weigh(gramian):
        seen.append(gramian)
        return torch.ones(len(gramian))

    steps_with([('c', 'b')], harmonizer=weigh)
    torch.testing.assert_close(seen, [gramian_of('c', 'b', 'a')])


def test_pairs_of_the_model_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"tasks of the model.*got \['d'\]"):
        steps_with([('a', 'd')], harmonizer=GH())


def test_harmonizers_for_different_parameters_are_refused():
    mixed = [dict(type='mmgh.RelativeClip', reference='b'),
             dict(type='mmgh.GH')]
    with pytest.raises(ValueError, match="`apply_to`.*RelativeClip.*GH.*"
                       r"\['shared', 'loss'\], but got None"):
        harmonized_gradient(harmonizer=mixed, pairs=PAIRS)
    harmonized_gradient(harmonizer=mixed, pairs=PAIRS, apply_to='shared')
