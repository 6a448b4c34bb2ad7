"""Loss scaling and mixed precision, on the CPU through the shared logic."""
from __future__ import annotations

import copy

import pytest
import torch
from mmengine.optim.optimizer import amp_optimizer_wrapper
from mmengine.runner import amp
from torch.optim import SGD

from mmgh.harmonizers import GHPlusPlus
from mmgh.input_error import InputError
from mmgh.optim import GHAmpOptimWrapper, GHOptimWrapper
from .two_task_model import make_batch, make_model

PROBES = [
    dict(probe='parameters'),
    dict(probe='modules', shared=['trunk']),
    dict(probe='features'),
    dict(probe='features', apply_to='shared'),
]


@pytest.fixture
def amp_wrapper(monkeypatch):
    """``amp_wrapper(model, scale, ...)``, with what torch has for the CPU.

    Without ``dtype`` it computes in float32.
    """
    pytest.importorskip('torch', '2.3')  # Before, it scales on GPUs alone.
    monkeypatch.setattr(amp_optimizer_wrapper, 'is_cuda_available',
                        lambda: True)
    monkeypatch.setattr(
        amp_optimizer_wrapper, 'GradScaler',
        lambda **kwargs: torch.amp.GradScaler('cpu', **kwargs))
    monkeypatch.setattr(
        amp, 'autocast', lambda dtype: torch.autocast(
            'cpu', dtype or torch.bfloat16, enabled=dtype is not None))

    def make(model, scale=65536., **options):
        return prepared(
            GHAmpOptimWrapper(
                loss_scale=dict(init_scale=scale),
                **arguments(model, options)), model)

    return make


def gh_wrapper(model, **options):
    return prepared(GHOptimWrapper(**arguments(model, options)), model)


def arguments(model, options: dict) -> dict:
    return dict(
        optimizer=SGD(model.parameters(), lr=0.002, momentum=0.9),
        harmonizer=GHPlusPlus(),
        **options)


def prepared(wrapper, model):
    wrapper.initialize_count_status(model, 0, 100)
    return wrapper


def logged(message_hub) -> dict:
    return {
        name: buffer.data[0].tolist()
        for name, buffer in message_hub.log_scalars.items()
    }


@pytest.mark.skipif(torch.cuda.is_available(), reason='there is a GPU')
def test_no_gpu_is_no_bug():
    model = torch.nn.Linear(1, 1)
    with pytest.raises(InputError, match="should be 'mmgh.GHOptimWrapper'"):
        GHAmpOptimWrapper(**arguments(model, {}))
    with pytest.raises(InputError, match="should be 'mmgh.GHAmpOptimWrapper'"):
        GHOptimWrapper(**arguments(model, dict(dtype='bfloat16')))


@pytest.mark.parametrize('options', PROBES)
def test_products_of_scaled_gradients_do_not_overflow(amp_wrapper, options,
                                                      message_hub):
    """With bfloat16 a dynamic scale grows that far."""
    logs = []
    for scale in (1., 2.**70):
        message_hub.log_scalars.clear()
        model = make_model(conflict=True)
        wrapper = amp_wrapper(model, scale, **options)
        model.train_step(make_batch(), wrapper)
        logs.append(logged(message_hub))
    assert logs[0] == logs[1] and logs[0]['train/weight_cls'][0] > 1.1


@pytest.mark.parametrize('options', PROBES)
@pytest.mark.parametrize('counts', [1, 2])
def test_scale_changes_nothing(amp_wrapper, message_hub, options, counts):
    """Powers of two: every bit is the same."""
    results = []
    options = dict(options, accumulative_counts=counts)
    for make in (gh_wrapper, lambda *args, **kwargs: amp_wrapper(
            *args, scale=1., **kwargs), amp_wrapper):
        message_hub.log_scalars.clear()
        model = make_model(conflict=True)
        wrapper = make(model, **options)
        for step in range(4):
            model.train_step(make_batch(seed=step), wrapper)
        results.append((model.state_dict(), logged(message_hub)))
    assert max(results[0][1]['train/weight_cls']) > 1.1
    for state, log in results[1:]:
        torch.testing.assert_close(state, results[0][0])
        assert log == results[0][1]


@pytest.mark.parametrize('options', PROBES)
def test_injected_infinity_skips_exactly_that_step(amp_wrapper, message_hub,
                                                   options):
    model = make_model(conflict=True)
    wrapper = amp_wrapper(model, clip_grad=dict(max_norm=1e3), **options)
    moved, scales = [], []
    for step in range(5):
        batch = make_batch(seed=step)
        if step == 2:
            batch['labels'][0] = float('inf')
        before = copy.deepcopy(model.state_dict())
        model.train_step(batch, wrapper)
        moved.append(not torch.equal(before['trunk.0.weight'],
                                     model.trunk[0].weight))
        scales.append(wrapper.loss_scaler.get_scale())
    assert moved == [True, True, False, True, True]
    assert scales == [65536, 65536, 32768, 32768, 32768]
    angles, weights = (logged(message_hub)[f'train/{name}']
                       for name in ('angle', 'weight_cls'))
    assert len(angles) == len(weights) == 4
    assert torch.tensor(angles + weights).isfinite().all()


@pytest.mark.parametrize('options', PROBES)
def test_gradient_too_large_for_its_scale_lowers_it(amp_wrapper, options):
    model = make_model(conflict=True)
    wrapper = amp_wrapper(model, scale=1e38, **options)
    before = copy.deepcopy(model.state_dict())
    model.train_step(make_batch(), wrapper)
    torch.testing.assert_close(model.state_dict(), before, rtol=0, atol=0)
    assert wrapper.loss_scaler.get_scale() == pytest.approx(5e37)


@pytest.mark.parametrize('options', PROBES)
def test_harmonizer_sees_the_unscaled_gramian(amp_wrapper, options):
    seen = []

    def remember(gramian):
        seen.append(gramian)
        return torch.ones(2)

    for make in (gh_wrapper, amp_wrapper):
        model = make_model(conflict=True)
        wrapper = make(model, **options)
        wrapper._weighting.harmonizers = [remember]
        model.train_step(make_batch(), wrapper)
    assert torch.equal(seen[0], seen[1])


@pytest.mark.parametrize('options', PROBES)
@pytest.mark.parametrize('dtype', ['bfloat16', 'float16'])
def test_half_precision_weighs_nearly_as_float32(amp_wrapper, message_hub,
                                                 options, dtype):
    logs = []
    for half in ({}, dict(dtype=dtype)):
        message_hub.log_scalars.clear()
        model = make_model(conflict=True)
        wrapper = amp_wrapper(model, scale=256., **options, **half)
        model.train_step(make_batch(), wrapper)
        logs.append({k: v[0] for k, v in logged(message_hub).items()})
    assert logs[0] == pytest.approx(logs[1], rel=0.05)
    assert logs[0] != logs[1]


def test_clipping_is_of_the_unscaled_gradient(amp_wrapper, message_hub):
    norms = []
    for make in (gh_wrapper, amp_wrapper):
        model = make_model(conflict=True)
        wrapper = make(model, clip_grad=dict(max_norm=0.5))
        model.train_step(make_batch(), wrapper)
        norms.append(message_hub.get_scalar('train/grad_norm').current())
    assert norms[0] == pytest.approx(norms[1])


def test_resume_restores_scale_and_weights(amp_wrapper):
    model = make_model(conflict=True)
    wrapper = amp_wrapper(model, interval=3)
    wrapper.loss_scaler.set_growth_interval(2)
    for step in range(4):
        model.train_step(make_batch(seed=step), wrapper)
    twin = copy.deepcopy(model)
    restored = amp_wrapper(twin, interval=3)
    restored.load_state_dict(copy.deepcopy(wrapper.state_dict()))
    restored.initialize_count_status(twin, 4, 100)
    assert restored.loss_scaler.get_scale() == 65536 * 4
    for step in range(4, 8):
        model.train_step(make_batch(seed=step), wrapper)
        twin.train_step(make_batch(seed=step), restored)
    torch.testing.assert_close(
        model.state_dict(), twin.state_dict(), rtol=0, atol=0)
