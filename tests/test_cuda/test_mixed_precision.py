"""Mixed precision on a GPU: what it compares, and what overflows."""
from __future__ import annotations

import pytest
import torch
from torch.optim import SGD

from mmgh.harmonizers import GHPlusPlus
from mmgh.optim import GHAmpOptimWrapper, GHOptimWrapper
from ..test_optim.test_gh_amp_optim_wrapper import PROBES, logged
from ..test_optim.two_task_model import make_batch, make_model

DTYPES = ['float16', 'bfloat16']
# Of the gradients of this model in float16; the default is far too much.
LOW_SCALE = dict(init_scale=32.)
probes = pytest.mark.parametrize(
    'options', PROBES, ids=lambda o: '-'.join(map(str, o.values())))
dtypes = pytest.mark.parametrize('dtype', DTYPES)
pytestmark = pytest.mark.usefixtures('cuda')


def prepared(wrapper: type, model, **options):
    optim_wrapper = wrapper(
        optimizer=SGD(model.parameters(), lr=0.002, momentum=0.9),
        harmonizer=GHPlusPlus(),
        **options)
    optim_wrapper.initialize_count_status(model, 0, 100)
    return optim_wrapper


def train(model, wrapper, steps: int) -> list[float]:
    """The loss of each step."""
    batch = {name: value.cuda() for name, value in make_batch().items()}
    return [
        float(model.train_step(batch, wrapper)['loss']) for _ in range(steps)
    ]


@dtypes
@probes
def test_it_measures_what_float32_does(options, dtype, message_hub):
    """Cosine, norms and weights of the first step."""
    logs = []
    for wrapper, more in ((GHOptimWrapper, {}),
                          (GHAmpOptimWrapper,
                           dict(dtype=dtype, loss_scale=LOW_SCALE))):
        message_hub.log_scalars.clear()
        model = make_model(conflict=True).cuda()
        train(model, prepared(wrapper, model, **options, **more), 1)
        logs.append({
            name: torch.tensor(values)
            for name, values in logged(message_hub).items()
        })
    precision = 2**-5 if dtype == 'bfloat16' else 2**-8
    assert logs[0]['train/cosine'] < -0.1
    torch.testing.assert_close(*logs, rtol=precision, atol=precision)


@dtypes
@probes
def test_it_trains_as_float32_does(options, dtype, message_hub):
    losses = []
    for wrapper, more in ((GHOptimWrapper, {}),
                          (GHAmpOptimWrapper,
                           dict(dtype=dtype, loss_scale=LOW_SCALE))):
        model = make_model(conflict=True).cuda()
        optim_wrapper = prepared(wrapper, model, **options, **more)
        losses.append(torch.tensor(train(model, optim_wrapper, 30)))
    assert losses[0][-1] < 0.9 * losses[0][0]
    torch.testing.assert_close(*losses, rtol=0.05, atol=0.05)


@probes
def test_step_that_overflows_is_left_out(options, message_hub):
    """And the scale is lowered until none does."""
    model = make_model(conflict=True).cuda()
    wrapper = prepared(
        GHAmpOptimWrapper,
        model,
        dtype='float16',
        loss_scale=dict(init_scale=2.**20, growth_interval=1000),
        **options)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    train(model, wrapper, 1)
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])
    assert wrapper.loss_scaler.get_scale() < 2.**20
    train(model, wrapper, 30)
    assert any(not torch.equal(value, before[name])
               for name, value in model.state_dict().items())
    assert all(v.isfinite().all() for v in model.state_dict().values())
    for values in logged(message_hub).values():
        assert torch.tensor(values).isfinite().all()


@pytest.mark.parametrize('probe', ['parameters', 'features'])
def test_step_waits_once_for_the_gpu(probe, message_hub):
    """By the transfer of what is logged; each other read would let the GPU
    run dry."""
    model = make_model(conflict=True).cuda()
    wrapper = prepared(GHOptimWrapper, model, probe=probe)
    batch = {name: value.cuda() for name, value in make_batch().items()}
    total, _ = model.parse_losses(model(**batch))
    wrapper.update_params(total)
    total, _ = model.parse_losses(model(**batch))
    torch.cuda.set_sync_debug_mode('warn')
    try:
        with pytest.warns(UserWarning, match='synchronizing') as caught:
            wrapper.update_params(total)
    finally:
        torch.cuda.set_sync_debug_mode('default')
    assert len([w for w in caught if 'synchronizing' in str(w.message)]) == 1
