"""What a log says of angles and norms, against gradients of known ones."""
from __future__ import annotations

import numpy as np
import pytest
import torch

from mmgh.analysis.conflict import PairHistory, iterations_of
from mmgh.analysis.diagnosis import diagnose, gramians_of, thirds
from mmgh.harmonizers import GH

COUNT = 90


def pair(angles, norms=(1., 1.), tasks=('alignment', 'cls')) -> PairHistory:
    angles = np.broadcast_to(np.asarray(angles, float), (COUNT, )).copy()
    ones = np.ones(COUNT)
    return PairHistory(
        tasks, iterations_of(COUNT, COUNT), (angles > 90).astype(float),
        angles, dict.fromkeys(tasks, ones), COUNT,
        norms and {task: ones * norm for task, norm in zip(tasks, norms)})


def noise(spread: float) -> np.ndarray:
    return spread * np.random.default_rng(0).standard_normal(COUNT)


def test_gramians_are_those_of_the_gradients():
    gradients = torch.tensor([[2., 0.], [-1.5, 1.5 * 3**0.5]]).double()
    gramians = gramians_of(pair(120., (2., 3.)))
    np.testing.assert_allclose(
        gramians, np.broadcast_to(gradients @ gradients.T, (COUNT, 2, 2)))


@pytest.mark.parametrize('angle, norms', [(100., (1., 1.)),
                                          (130., (0.5, 0.4)),
                                          (90., (2., 1.))])
def test_changes_are_those_of_the_step(angle, norms):
    """Against gradients in the plane."""
    radians = np.radians(angle)
    gradients = torch.tensor([
        [norms[0], 0.],
        [norms[1] * np.cos(radians), norms[1] * np.sin(radians)]
    ]).double()
    weights = GH()(gradients @ gradients.T).clamp(-2, 2)
    plain = gradients.sum(0)
    added = weights @ gradients - plain
    found = diagnose(pair(angle, norms)).effects['GH']
    np.testing.assert_allclose(
        found.changes, float(added.norm() / plain.norm()), atol=1e-9)


def test_opposed_is_of_the_plain_sum():
    assert diagnose(pair(120., (1., 1.))).opposed_rate == 0
    assert diagnose(pair(120., (1., 3.))).opposed_rate == 1


@pytest.mark.parametrize('angles, expected', [
    (90.5 + noise(0.3), False),
    (86. + noise(1.), False),
    (97. + noise(4.), True),
    # Once, by chance, in between.
    (np.where(np.arange(COUNT) < 8, 150., 90.), False),
    # It comes late.
    (np.linspace(89., 98., COUNT), True),
])
def test_conflict_is_more_than_a_little_and_beyond_chance(angles, expected):
    assert diagnose(pair(angles)).has_conflict is expected


@pytest.mark.parametrize('order', [('alignment', 'cls'), ('cls', 'alignment')])
@pytest.mark.parametrize('alignment, expected', [(0.1, False), (0.3, False),
                                                 (1., True)])
def test_alignment_is_too_strong_beside_what_classification_began_with(
        order, alignment, expected):
    falling = np.linspace(1., 0.01, COUNT)
    norms = dict(cls=falling, alignment=np.full(COUNT, alignment))
    history = pair(90., None, order)._replace(norms=norms)
    found = diagnose(history)
    assert found.is_too_strong is expected
    left = found.effects['RelativeClip'].weights[:, order.index('alignment')]
    np.testing.assert_allclose(
        thirds(left), min(1, 0.2 / alignment), atol=1e-6)


def test_old_logs_have_no_norms():
    found = diagnose(pair(np.full(COUNT, 100.) + noise(1.), norms=None))
    assert found.effects == {} and np.isnan(found.opposed_rate)
    assert found.has_conflict and not found.is_too_strong


def test_tasks_without_classification_have_no_clip():
    found = diagnose(pair(90., tasks=('bridge_g', 'bridge_d')))
    assert set(found.effects) == {'GH', 'GH++'}
    assert not found.is_too_strong
