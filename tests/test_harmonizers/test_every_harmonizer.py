"""What every harmonizer promises, whatever its method is."""
from __future__ import annotations

import copy
import io
from itertools import permutations

import pytest
import torch
from torch import Tensor

from ..registered_classes import registered
from .every_harmonizer import HARMONIZERS
from .gradient_pairs import gramian_of, pair_at_angle, random_gramians

DTYPES = [torch.float32, torch.float64]
every_harmonizer = pytest.mark.parametrize('entry', HARMONIZERS, ids=repr)
every_number_of_tasks = pytest.mark.parametrize(
    'entry, num_tasks', [(entry, number) for entry in HARMONIZERS
                         for number in entry.numbers_of_tasks],
    ids=str)
every_pair_harmonizer = pytest.mark.parametrize(
    'entry', [entry for entry in HARMONIZERS if entry.is_of_pairs], ids=repr)


def conflicting(num_tasks: int, dtype=torch.float64) -> Tensor:
    """Gramian of random gradients of which the first meets the others."""
    gradients = torch.randn(num_tasks, 6, dtype=torch.float64)
    gradients[0] -= 0.7 * gradients[1:].sum(0)
    return gramian_of(gradients).to(dtype)


def weigh(harmonizer, gramian: Tensor) -> Tensor:
    torch.manual_seed(1)  # some are random
    return harmonizer(gramian)


def test_every_harmonizer_is_in_the_list():
    listed = {entry.kind for entry in HARMONIZERS}
    for kind in registered('TASK_UTILS'):
        assert kind.__name__ in listed, (
            f'Add `Entry({kind.__name__!r}),` to the list `HARMONIZERS` in '
            'tests/test_harmonizers/every_harmonizer.py.')


@every_number_of_tasks
@pytest.mark.parametrize('dtype', DTYPES)
def test_weights_are_as_the_gramian(entry, num_tasks, dtype):
    """One for each task, of its type, on its device, and without gradient."""
    gramian = conflicting(num_tasks, dtype).requires_grad_()
    before = gramian.detach().clone()
    weights = entry.build(num_tasks)(gramian)
    assert weights.shape == (num_tasks, )
    assert weights.dtype == dtype and weights.device == gramian.device
    assert weights.isfinite().all() and not weights.requires_grad
    assert torch.equal(gramian, before)


@every_number_of_tasks
def test_least_weight_is_what_it_says(entry, num_tasks):
    """By which the optim wrapper knows whether a bound turns it off."""
    harmonizer = entry.build(num_tasks)
    weights = torch.stack([
        harmonizer(conflicting(num_tasks) * scales.outer(scales))
        for scales in 10**torch.randn(50, num_tasks, dtype=torch.float64)
    ])
    if harmonizer.min_weight is None:
        assert weights.min() < 0.99 or weights.max() <= 1, (
            'Set its `min_weight`.')
    else:
        assert weights.min() >= harmonizer.min_weight - 1e-9


@every_number_of_tasks
@pytest.mark.parametrize('dtype', DTYPES)
@pytest.mark.parametrize('scale', [1e-10, 1e-5, 1e5, 1e10])
def test_scale_of_the_losses_does_not_matter(entry, num_tasks, scale, dtype):
    gradients = torch.randn(num_tasks, 6, dtype=dtype)
    gradients[0] -= 0.7 * gradients[1:].sum(0)
    weights, scaled = (
        weigh(entry.build(num_tasks), gramian_of(factor * gradients))
        for factor in (1, scale))
    torch.testing.assert_close(scaled, weights, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    'entry, num_tasks', [(entry, number) for entry in HARMONIZERS
                         for number in entry.numbers_of_tasks
                         if entry.is_fair],
    ids=str)
def test_order_of_the_tasks_does_not_matter(entry, num_tasks):
    gramian = conflicting(num_tasks)
    weights = weigh(entry.build(), gramian)
    for order in map(list, permutations(range(num_tasks))):
        torch.testing.assert_close(
            weigh(entry.build(), gramian[order][:, order]), weights[order])


@every_harmonizer
@pytest.mark.parametrize('dtype', DTYPES)
@pytest.mark.parametrize('norm_ratio', [1e-3, 1, 1e3])
@pytest.mark.parametrize('degrees', [0, 180])
def test_finite_for_parallel_gradients(entry, degrees, norm_ratio, dtype):
    """Rounding may push the cosine out of its range."""
    gramian = gramian_of(pair_at_angle(degrees, norm_ratio, dtype))
    gramian[0, 1] *= 1 + 1e-6
    gramian[1, 0] *= 1 + 1e-6
    assert entry.build()(gramian).isfinite().all()


NAN, INF = float('nan'), float('inf')
WITHOUT_AN_ANGLE = [
    [[0, 0], [0, 0]],
    [[0, 0], [0, 2]],
    [[2, 0], [0, 0]],
    # The first norm underflowed; the product did not.
    [[0, -1e-30], [-1e-30, 1]],
    [[NAN, -1], [-1, 2]],
    [[1, NAN], [NAN, 2]],
    [[INF, -INF], [-INF, 2]],
    [[1, -1], [-1, INF]],
]


@every_harmonizer
@pytest.mark.parametrize('dtype', DTYPES)
@pytest.mark.parametrize('gramian', WITHOUT_AN_ANGLE, ids=str)
def test_no_angle_gives_weights_of_one_and_leaves_no_trace(
        entry, gramian, dtype):
    harmonizer, fresh = entry.build(), entry.build()
    gramian = torch.tensor(gramian, dtype=dtype)
    weights = harmonizer(gramian)
    if entry.is_neutral:
        assert weights.tolist() == [1, 1], (
            f'{entry} should weigh all tasks by 1 where there is no angle, or '
            'say that it does not: `Entry(..., is_neutral=False)` in '
            'tests/test_harmonizers/every_harmonizer.py.')
    if not gramian.isfinite().all():
        sound = conflicting(2, dtype)
        assert torch.equal(weigh(harmonizer, sound), weigh(fresh, sound))


@every_harmonizer
@pytest.mark.parametrize('shape', [(2, 3), (1, 1), (2, ), (2, 2, 2)], ids=str)
def test_wrong_shape_is_refused(entry, shape):
    with pytest.raises(ValueError, match='`gramian` should have the shape'):
        entry.build()(torch.ones(shape))


@every_harmonizer
def test_copy_goes_on_where_the_harmonizer_is(entry):
    """For several pairs of tasks there is a copy for each."""
    harmonizer = entry.build()
    for _ in range(3):
        harmonizer(conflicting(2))
    other = copy.deepcopy(harmonizer)
    for gramian in [conflicting(2) for _ in range(3)]:
        assert torch.equal(weigh(other, gramian), weigh(harmonizer, gramian))


@every_harmonizer
def test_state_dict_holds_the_memory(entry):
    harmonizer, other = entry.build(), entry.build()
    for _ in range(3):
        harmonizer(conflicting(2))
    state = harmonizer.state_dict()
    if state:
        file = io.BytesIO()
        torch.save(state, file)
        file.seek(0)
        other.load_state_dict(torch.load(file, weights_only=True))
    for gramian in [conflicting(2) for _ in range(3)]:
        assert torch.equal(weigh(other, gramian), weigh(harmonizer, gramian))


@every_pair_harmonizer
@pytest.mark.parametrize('dtype', DTYPES)
@pytest.mark.parametrize('degrees', [0, 30, 89.9])
def test_weights_of_a_pair_are_one_without_conflict(entry, degrees, dtype):
    gramian = gramian_of(pair_at_angle(degrees, norm_ratio=7, dtype=dtype))
    assert entry.build()(gramian).tolist() == [1, 1]


@every_pair_harmonizer
def test_weights_of_a_pair_tell_conflict(entry):
    harmonizer, conflicts = entry.build(), 0
    for gramian in random_gramians(500):
        is_obtuse = bool(gramian[0, 1] < 0)
        assert (harmonizer(gramian).tolist() != [1, 1]) == is_obtuse
        conflicts += is_obtuse
    assert 100 < conflicts < 400


@pytest.mark.parametrize(
    'entry', [entry for entry in HARMONIZERS if entry.numbers_of_tasks == (2, )
              ], ids=repr)
def test_three_tasks_are_no_pair(entry):
    with pytest.raises(ValueError, match=r'`gramian`.*\(2, 2\).*\(3, 3\)'):
        entry.build()(torch.eye(3))
