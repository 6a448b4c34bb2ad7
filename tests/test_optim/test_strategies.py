"""MMEngine's strategies: two processes with half a batch each, against one
with the whole batch."""
from __future__ import annotations

import os

import pytest
import torch
from mmengine._strategy.deepspeed import MMDeepSpeedEngineWrapper
from mmengine.model import MMFullyShardedDataParallel
from mmengine.runner import FlexibleRunner
from torch.optim import SGD

from mmgh.input_error import InputError
from mmgh.optim import GHOptimWrapper
from ..processes import on_two_ranks
from .test_data_parallel import CPU_CAN_BE_SHARDED
from .two_task_model import make_batch, make_model

# Without these, the strategies look for a GPU of the rank.
WRAPPERS = dict(
    DDPStrategy=dict(type='MMDistributedDataParallel', device_ids=None),
    FSDPStrategy=dict(
        type='MMFullyShardedDataParallel', device_id=torch.device('cpu')))
PROBES = dict(
    parameters=dict(probe='parameters'),
    modules=dict(probe='modules', shared=['trunk']),
    features=dict(probe='features'))
HARMONIZER = dict(type='mmgh.GHPlusPlus')


def train(strategy: dict, batch_size: int, probe: str, **options) -> dict:
    """Parameters after two epochs, and the angle at each step."""
    batches = [make_batch(1, seed=i) for i in range(24)]
    samples = [{k: v[0] for k, v in batch.items()} for batch in batches]
    runner = FlexibleRunner(
        make_model(conflict=True),
        work_dir='.',
        strategy=strategy,
        train_dataloader=dict(
            dataset=samples,
            batch_size=batch_size,
            sampler=dict(type='mmengine.DefaultSampler', shuffle=False),
            collate_fn=dict(type='default_collate')),
        train_cfg=dict(by_epoch=True, max_epochs=2),
        optim_wrapper=dict(
            type='mmgh.GHOptimWrapper',
            harmonizer=HARMONIZER,
            optimizer=dict(type='SGD', lr=0.01, momentum=0.9),
            **PROBES[probe]),
        default_hooks=dict(logger=None, checkpoint=None),
        default_scope='mmengine',
        **options)
    runner.train()
    return dict(
        state=whole_state(runner.model),
        angles=runner.message_hub.get_scalar('train/angle').data[0].tolist())


def whole_state(model) -> dict:
    if isinstance(model, MMFullyShardedDataParallel):
        with MMFullyShardedDataParallel.summon_full_params(model):
            return whole_state(model.module)
    prefixes = 'module.', '_fsdp_wrapped_module.'
    return {
        key.removeprefix(prefixes[0]).removeprefix(prefixes[1]): value.clone()
        for key, value in model.state_dict().items()
    }


def train_on_ranks(rank: int, strategies: list[tuple]) -> list[dict | str]:
    """What came out of each strategy and probe, or the error."""
    os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE='2')
    results = []
    for i, (strategy, probe) in enumerate(strategies):
        options = dict(
            launcher='pytorch',
            env_cfg=dict(dist_cfg=dict(backend='gloo')),
            experiment_name=f'{rank}_{i}')
        strategy = dict(type=strategy, model_wrapper=WRAPPERS[strategy])
        try:
            results.append(train(strategy, 4, probe, **options))
        except ValueError as error:
            results.append(str(error))
    return results


RUNS = [('DDPStrategy', probe) for probe in PROBES]
if CPU_CAN_BE_SHARDED:
    RUNS += [('FSDPStrategy', probe) for probe in PROBES]


@pytest.fixture(scope='module')
def ranks() -> list[dict]:
    """What both ranks saw."""
    return [
        dict(zip(RUNS, results))
        for results in on_two_ranks(train_on_ranks, RUNS)
    ]


@pytest.fixture
def single(tmp_path, monkeypatch):
    """``single(probe)`` trains one process with whole batches."""
    monkeypatch.chdir(tmp_path)
    return lambda probe: train(
        dict(type='SingleDeviceStrategy'), 8, probe,
        experiment_name=tmp_path.name)


@pytest.mark.parametrize('run', [
    run for run in RUNS
    if run[0] == 'DDPStrategy' or run[1] == 'features'
], ids='-'.join)
def test_ranks_train_as_one_process(ranks, single, run):
    expected = single(run[1])
    assert max(expected['angles']) > 91
    for result in ranks:
        torch.testing.assert_close(
            result[run]['state'], expected['state'], rtol=1e-5, atol=1e-6)
        assert result[run]['angles'] == pytest.approx(
            expected['angles'], rel=1e-5)


@pytest.mark.skipif(not CPU_CAN_BE_SHARDED, reason='no FSDP on this CPU')
@pytest.mark.parametrize('probe', ['parameters', 'modules'])
def test_whole_gradients_are_refused_under_fsdp(ranks, probe):
    message = ranks[0]['FSDPStrategy', probe]
    assert "`probe` should be 'features' under FSDP" in message
    assert repr(probe) in message


def test_deepspeed_is_refused():
    """As its strategy does it, once it has wrapped the model."""
    model = make_model(conflict=True)
    wrapper = GHOptimWrapper(
        optimizer=SGD(model.parameters(), lr=0.01), harmonizer=HARMONIZER)
    with pytest.raises(InputError, match='`strategy.type`.*DeepSpeed'):
        wrapper.model = MMDeepSpeedEngineWrapper(model=model)
