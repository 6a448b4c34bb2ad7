"""Ranks whose tasks come in another order, or come and go."""
from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import Tensor, distributed
from torch.optim import SGD

import mmgh
from mmgh.optim import GHOptimWrapper
from mmgh.task_losses import SharedFeatures, attach_task_losses
from ..processes import on_two_ranks
from .two_task_model import make_batch, make_model

TWO = ('cls', 'alignment')
ALL = (*TWO, 'size')
PROBES = {
    'parameters': dict(),
    'modules': dict(probe='modules', shared=['trunk']),
    'features': dict(probe='features'),
}
# Of each micro-batch, the tasks.
CHANGES = {
    'come_and_go': dict(tasks=[TWO, ALL, TWO, TWO, ALL, ALL]),
    'come_and_go_modules': dict(
        tasks=[TWO, ALL, TWO, ALL], **PROBES['modules']),
    'come_and_go_features': dict(
        tasks=[TWO, ALL, TWO, ALL], **PROBES['features']),
    'missing_in_the_last': dict(
        tasks=[ALL, TWO, TWO, ALL, ALL, TWO],
        accumulative_counts=2,
        pairs=[TWO]),
    'other_order_in_the_last': dict(
        tasks=[ALL, ALL[::-1]] * 2, accumulative_counts=2, pairs=[TWO]),
}
MISSING = {
    'first': [(ALL, TWO), (ALL, ALL)],
    'later': [(ALL, ALL), (TWO, ALL)],
    'new': [(TWO, TWO), (TWO, ALL)],
    'others': [(TWO, TWO), (TWO, ALL[1:])],
}


def by_place(gramian: Tensor) -> Tensor:
    """Weights that tell the first task from the last."""
    norms = gramian.diagonal().sqrt()
    return torch.linspace(0.5, 1.5, len(gramian)) * norms / norms.sum()


def marked_total(model, batch: dict, tasks) -> Tensor:
    features = model.trunk(batch['inputs'])
    found = model.losses_of_heads(features, batch['labels'])
    losses = dict(
        cls=found['loss_cls'],
        alignment=found['loss_alignment'],
        size=features.square().mean())
    losses = {task: losses[task] for task in tasks}
    return attach_task_losses(
        sum(losses.values()), losses, SharedFeatures([features], losses))


def train(rank: int, world_size: int, tasks, **options) -> dict:
    """Weights after a few micro-batches, of which each rank has a part."""
    model = make_model(conflict=True)
    options = {'harmonizer': by_place, **options}
    wrapper = GHOptimWrapper(
        optimizer=SGD(model.parameters(), lr=0.01), **options)
    wrapper.initialize_count_status(model, 0, len(tasks))
    for i, names in enumerate(tasks):
        batch = make_batch(12, seed=i)
        batch = {k: v[rank::world_size] for k, v in batch.items()}
        wrapper.backward(marked_total(model, batch, names))
        if wrapper.should_update():
            if world_size > 1 and 'probe' in options:
                average(model)
            wrapper.step()
            wrapper.zero_grad()
    return model.state_dict()


def average(model) -> None:
    """What the model wrapper does where the probe does not."""
    for parameter in model.parameters():
        distributed.all_reduce(parameter.grad)
        parameter.grad /= 2


def message_of(function) -> str:
    try:
        function()
    except RuntimeError as error:
        return str(error)
    return ''


def harmonized_without_config(rank: int, world_size: int, tasks) -> dict:
    model = make_model(conflict=True)
    batch = {k: v[rank::world_size] for k, v in make_batch(12).items()}
    measured = mmgh.harmonize(
        marked_total(model, batch, tasks), model, by_place)
    return dict({n: p.grad for n, p in model.named_parameters()},
                norm=measured['grad_norm_size'])


def work(rank: int) -> dict:
    order = ALL if rank == 0 else ALL[::-1]
    results = {
        f'order_{name}': train(rank, 2, [order] * 3, **options)
        for name, options in PROBES.items()
    }
    results['order_harmonize'] = harmonized_without_config(rank, 2, order)
    for name, options in CHANGES.items():
        results[name] = train(rank, 2, **options)
    for name, tasks in MISSING.items():
        for probe in ('parameters', 'modules'):
            mine = [of_ranks[rank] for of_ranks in tasks]
            results[f'missing_{name}_{probe}'] = message_of(
                partial(train, rank, 2, mine, **PROBES[probe]))
    results['missing_pair'] = message_of(
        partial(train, rank, 2, [TWO, TWO[:rank + 1]], pairs=[TWO]))
    results['missing_harmonize'] = message_of(
        partial(harmonized_without_config, rank, 2, ALL[:rank + 2]))
    return results


@pytest.fixture(scope='module')
def ranks() -> list[dict]:
    return on_two_ranks(work)


def assert_alike(ranks: list[dict], name: str, single: dict) -> None:
    first, second = (result[name] for result in ranks)
    for key, value in first.items():
        assert torch.equal(value, second[key])
    torch.testing.assert_close(first, single, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize('probe', PROBES)
def test_order_of_tasks_is_that_of_the_first_rank(ranks, probe):
    single = train(0, 1, [ALL] * 3, **PROBES[probe])
    other = train(0, 1, [ALL[::-1]] * 3, **PROBES[probe])
    assert not torch.allclose(single['trunk.0.weight'],
                              other['trunk.0.weight'], rtol=1e-3)
    assert_alike(ranks, f'order_{probe}', single)


def test_order_of_tasks_without_configs(ranks):
    assert_alike(ranks, 'order_harmonize',
                 harmonized_without_config(0, 1, ALL))


@pytest.mark.parametrize('name', CHANGES)
def test_tasks_come_and_go_on_all_ranks(ranks, name):
    assert_alike(ranks, name, train(0, 1, **CHANGES[name]))


@pytest.mark.parametrize('probe', ['parameters', 'modules'])
@pytest.mark.parametrize('name', MISSING)
def test_task_of_one_rank_is_told_on_both(ranks, name, probe):
    first, second = next(
        of_ranks for of_ranks in MISSING[name] if of_ranks[0] != of_ranks[1])
    for result in ranks:
        assert result[f'missing_{name}_{probe}'].startswith(
            'All ranks should have losses of the same tasks in a step, but '
            f'rank 0 has {sorted(first)} and rank 1 {sorted(second)}.')


def test_task_that_a_pair_names_is_told_on_both(ranks):
    for result in ranks:
        assert "rank 0 has ['cls'] and rank 1 [" in result['missing_pair']


def test_task_of_one_rank_is_told_without_configs(ranks):
    for result in ranks:
        assert "rank 0 has ['alignment', 'cls'] and" in (
            result['missing_harmonize'])
