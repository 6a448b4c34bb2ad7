"""Harmonizers with a memory: a resumed run equals an uninterrupted one."""
from __future__ import annotations

import io

import pytest
import torch
from torch import Tensor, nn
from torch.optim import SGD

from mmgh.harmonizers import Harmonizer
from mmgh.optim import GHOptimWrapper
from mmgh.registry import TASK_UTILS
from mmgh.task_losses import attach_task_losses
from ..log_warnings import warnings_of

PAIRS = [('a', 'b'), ('b', 'c')]


class Averaging(Harmonizer):
    """Weighs by a moving average of the Gramian."""

    num_tasks = 2
    memory = ('mean', )

    def __init__(self) -> None:
        self.mean: Tensor | None = None

    def weigh(self, gramian: Tensor) -> Tensor:
        self.mean = gramian if self.mean is None else (
            0.8 * self.mean + 0.2 * gramian)
        return self.mean.diagonal().rsqrt()


def make_wrapper(harmonizer, pairs=None) -> GHOptimWrapper:
    torch.manual_seed(0)
    return GHOptimWrapper(
        optimizer=SGD([nn.Parameter(torch.randn(5))], lr=0.1),
        harmonizer=harmonizer,
        pairs=pairs)


def step(wrapper: GHOptimWrapper, index: int, names: str) -> None:
    """One step of quadratic losses that differ from step to step."""
    weight, = wrapper.param_groups[0]['params']
    torch.manual_seed(1 + index)
    losses = {
        name: (weight - torch.randn(5)).square().sum()
        for name in names
    }
    wrapper.update_params(attach_task_losses(sum(losses.values()), losses))


def saved_and_loaded(state: dict) -> dict:
    """By a file that may hold data alone."""
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


def memories_of(wrapper: GHOptimWrapper) -> dict:
    memories = wrapper.state_dict()['harmonization']['memories']
    memories = {
        name: saved['memory'].get('memory', saved['memory'])
        for name, saved in memories.items()
    }
    assert all(memories.values())
    return memories


def torchjd(name: str, **options):
    pytest.importorskip('torchjd')
    if name == 'NashMTL':
        pytest.importorskip('ecos')
    return dict(type='mmgh.TorchJD', name=name, **options)


MAKE = {
    'averaging': (lambda: Averaging(), 'ab', None),
    'averaging_pairs': (lambda: Averaging(), 'abc', PAIRS),
    'own_GradVac': (lambda: dict(type='mmgh.GradVac'), 'abc', PAIRS),
    'GradVac': (lambda: torchjd('GradVac'), 'abc', None),
    'GradVac_pairs': (lambda: torchjd('GradVac'), 'abc', PAIRS),
    'PCD': (lambda: torchjd('PCD'), 'abc', None),
    'NashMTL': (lambda: torchjd('NashMTL', n_tasks=3), 'abc', None),
    'NashMTL_rarely':
    (lambda: torchjd('NashMTL', n_tasks=3, update_weights_every=4), 'abc',
     None),
}


@pytest.mark.parametrize('name', MAKE)
@pytest.mark.parametrize('stop', [1, 4])
def test_resumed_equals_uninterrupted(name, stop, message_hub):
    make, names, pairs = MAKE[name]
    whole, first = (make_wrapper(make(), pairs) for _ in range(2))
    for index in range(9):
        step(whole, index, names)
    for index in range(stop):
        step(first, index, names)
    resumed = make_wrapper(make(), pairs)
    resumed.load_state_dict(saved_and_loaded(first.state_dict()))
    resumed.param_groups[0]['params'][0].data.copy_(
        first.param_groups[0]['params'][0])
    for index in range(stop, 9):
        step(resumed, index, names)
    torch.testing.assert_close(
        resumed.param_groups[0]['params'],
        whole.param_groups[0]['params'],
        rtol=0,
        atol=0)
    for name, memory in memories_of(whole).items():
        torch.testing.assert_close(
            memories_of(resumed)[name], memory, rtol=0, atol=0)


@pytest.mark.parametrize('name', ['averaging', 'GradVac', 'NashMTL_rarely'])
def test_without_its_memory_it_would_be_another_run(name, message_hub):
    """So the test above can fail."""
    make, names, pairs = MAKE[name]
    whole, forgetful = (make_wrapper(make(), pairs) for _ in range(2))
    for index in range(3):
        step(whole, index, names)
    forgetful.param_groups[0]['params'][0].data.copy_(
        whole.param_groups[0]['params'][0])
    for wrapper in (whole, forgetful):
        step(wrapper, 3, names)
    assert not torch.equal(whole.param_groups[0]['params'][0],
                           forgetful.param_groups[0]['params'][0])


def test_each_pair_has_a_memory_of_its_own(message_hub):
    wrapper = make_wrapper(Averaging(), PAIRS)
    step(wrapper, 0, 'abc')
    memories = wrapper.state_dict()['harmonization']['memories']
    first, second = (
        memories[name]['memory']['mean'] for name in ('a b', 'b c'))
    assert first[1, 1] == second[0, 0]
    assert first[0, 0] != second[1, 1]


def test_no_memory_no_state(message_hub):
    wrapper = make_wrapper(dict(type='mmgh.GH'))
    step(wrapper, 0, 'ab')
    assert 'harmonization' not in wrapper.state_dict()


@pytest.mark.parametrize('before, after', [
    ((Averaging, None), (lambda: dict(type='mmgh.GH'), None)),
    ((lambda: torchjd('GradVac'), None), (lambda: torchjd('PCD'), None)),
    ((Averaging, [('a', 'b')]), (Averaging, [('b', 'a')])),
])
def test_memory_that_does_not_fit_is_left_out_with_a_word(
        before, after, message_hub):
    """Of another harmonizer, another method, other tasks."""
    first, second = (make_wrapper(make(), pairs)
                     for make, pairs in (before, after))
    step(first, 0, 'ab')
    second.load_state_dict(first.state_dict())
    assert 'not used' in ''.join(warnings_of(lambda: step(second, 1, 'ab')))
    assert warnings_of(lambda: step(second, 2, 'ab')) == []
    memories = second.state_dict().get('harmonization', {}).get('memories', {})
    names = ' '.join(after[1][0]) if after[1] else 'a b'
    assert set(memories) <= {names}


def test_memory_that_lacks_a_name_is_refused():
    with pytest.raises(ValueError, match=r"Averaging.*lacks \['mean'\]"):
        Averaging().load_state_dict({})


@pytest.mark.parametrize('memory', ['mean', ('men', )])
def test_memory_that_is_no_list_of_attributes_is_refused(memory):
    """When it is built, not at the first checkpoint."""
    harmonizer = Averaging()
    harmonizer.memory = memory
    with pytest.raises(ValueError, match='`memory` of Averaging'):
        make_wrapper(harmonizer)


def test_registered_harmonizers_say_what_they_are():
    """A class of ours that is no Harmonizer would have no bound to name."""
    from mmgh import harmonizers  # noqa: F401
    assert TASK_UTILS.module_dict
    assert all(issubclass(h, Harmonizer)
               for h in TASK_UTILS.module_dict.values())
