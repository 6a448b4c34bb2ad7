"""What is logged of a comparison."""
from __future__ import annotations

import pytest
import torch

from mmgh.harmonizers import GH, GHPlusPlus
from mmgh.optim.logged_scalars import Compared, logged_scalars, on_host
from ..test_harmonizers.gradient_pairs import gramian_of, pair_at_angle


def scalars(gradients, weights) -> dict:
    gramian = gramian_of(gradients)
    compared = Compared(('a', 'b'), gramian, weights)
    return logged_scalars([compared])


@pytest.mark.parametrize('degrees', [60, 95, 120, 170])
@pytest.mark.parametrize('norm_ratio', [0.1, 1., 10.])
@pytest.mark.parametrize('weights', [(1., 1.), (2., 0.5), (0., 1.)])
def test_opposed_tells_of_the_step_itself(degrees, norm_ratio, weights):
    gradients = pair_at_angle(degrees, norm_ratio)
    weights = gradients.new_tensor(weights)
    step = weights @ gradients
    expected = bool((gradients @ step < -1e-9).any())
    assert scalars(gradients, weights)['opposed'] == expected


@pytest.mark.parametrize('degrees', [95, 120, 170])
def test_gh_without_a_bound_never_opposes_a_task(degrees):
    for norm_ratio in (0.03, 1., 30.):
        gradients = pair_at_angle(degrees, norm_ratio).float()
        weights = GH()(gramian_of(gradients))
        assert scalars(gradients, weights)['opposed'] == 0


def test_gh_plus_plus_may_oppose_the_task_of_the_shorter_gradient():
    gradients = pair_at_angle(120, norm_ratio=10.)
    weights = GHPlusPlus()(gramian_of(gradients))
    assert scalars(gradients, weights)['opposed'] == 1


def test_norm_ratio_is_of_the_first_over_the_second():
    gradients = torch.tensor([[3., 0.], [0., 0.5]])
    assert scalars(gradients, torch.ones(2))['norm_ratio'] == 6


def test_norm_ratio_without_a_second_gradient_is_zero():
    """It would be NaN in the log of a warm-up's first step."""
    for first in (0., 3.):
        gradients = torch.tensor([[first, 0.], [0., 0.]])
        assert scalars(gradients, torch.ones(2))['norm_ratio'] == 0


def test_what_a_harmonizer_tells_is_logged():
    gramian = gramian_of(pair_at_angle(60, 1.).float())
    told = [
        Compared(tasks, i * gramian, i * torch.ones(2),
                 dict(share=torch.tensor(0.3 * i)))
        for i, tasks in enumerate([('a', 'b'), ('c', 'd')], start=1)
    ]
    for groups in (told, on_host(told)):
        logged = logged_scalars(groups)
        assert logged['share_a_b'] == torch.tensor(0.3)
        assert logged['share_c_d'] == torch.tensor(0.6)
        assert logged['weight_c_c_d'] == 2
        assert logged['cosine_c_d'] == pytest.approx(0.5)


def test_of_each_two_of_three_tasks_conflict_and_angle_are_logged():
    gradients = torch.randn(3, 20, dtype=torch.double)
    gradients[2] -= gradients[0]
    weights = torch.tensor([1., 0.5, 2.], dtype=torch.double)
    logged = logged_scalars(
        [Compared('abc', gramian_of(gradients), weights)])
    assert set(logged) == {
        *(f'{name}_{pair}' for name in ('conflict', 'angle')
          for pair in ('a_b', 'a_c', 'b_c')),
        *(f'{name}_{task}' for name in ('weight', 'grad_norm')
          for task in 'abc'), 'opposed'
    }
    for first, second in ((0, 1), (0, 2), (1, 2)):
        two = scalars(gradients[[first, second]], torch.ones(2).double())
        pair = 'abc'[first] + '_' + 'abc'[second]
        assert logged[f'angle_{pair}'] == pytest.approx(two['angle'].item())
        assert logged[f'conflict_{pair}'] == two['conflict']
    assert logged['conflict_a_c'] == 1
    for i, task in enumerate('abc'):
        assert logged[f'weight_{task}'] == weights[i]
        assert logged[f'grad_norm_{task}'] == pytest.approx(
            gradients[i].norm().item())
