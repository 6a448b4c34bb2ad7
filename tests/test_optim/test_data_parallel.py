"""Two processes with half a batch each, against one with the whole batch."""
from __future__ import annotations

from functools import partial
from inspect import signature

import pytest
import torch
from mmengine.model import (MMDistributedDataParallel,
                            MMFullyShardedDataParallel)
from torch import Tensor, distributed, nn
from torch.distributed import fsdp
from torch.distributed.fsdp.wrap import size_based_auto_wrap_policy
from torch.optim import SGD

from mmgh.gradients import rank_average
from mmgh.harmonizers import GHPlusPlus
from mmgh.optim import GHOptimWrapper
from ..processes import on_two_ranks, sends_bfloat16
from .two_task_model import TwoTaskModel, make_batch, make_model

STEPS = 5
# On which ranks a layer is used at each step: on one, none, the other, both.
USED_ON = [(), (0, ), (), (1, ), (0, 1)]
PARAMETERS = dict(probe='parameters')
FEATURES = dict(probe='features')
MODULES = dict(probe='modules', shared=['trunk'])
HALF = dict(PARAMETERS, reduce_dtype='bfloat16')

# The FSDP of torch 2.1 asks the CPU for streams of a priority in vain.
CPU_CAN_BE_SHARDED = 'priority' in signature(torch.cpu.Stream).parameters


class Measured(GHPlusPlus):
    """Also logs the size of the Gramian, which its weights do not tell."""

    def weigh(self, gramian: Tensor) -> Tensor:
        self._size = gramian.trace()
        return super().weigh(gramian)

    def scalars(self) -> dict[str, Tensor]:
        return dict(size=self._size)


class Pieces(TwoTaskModel):
    """In one process, what several ranks do: means over pieces of a batch.

    Some of its parameters are used nowhere, or in the first piece only.
    """

    def __init__(self) -> None:
        super().__init__()
        self.load_state_dict(make_model(conflict=True).state_dict())
        self.unused = nn.Linear(2, 2)
        self.sometimes = nn.Linear(8, 1)

    def forward(self, inputs: list[Tensor], labels: list[Tensor],
                uses_all: list[bool], mode: str = 'loss') -> dict:
        return self.losses_at([self.trunk(piece) for piece in inputs],
                              self.mean_losses, labels, uses_all)

    def mean_losses(self, features, labels, uses_all) -> dict:
        pieces = []
        for feats, label, uses_sometimes in zip(features, labels, uses_all):
            losses = self.losses_of_heads(feats, label)
            if uses_sometimes:
                losses['loss_alignment'] += self.sometimes(feats).mean()
            pieces.append(losses)
        return {
            name: sum(losses[name] for losses in pieces) / len(pieces)
            for name in self.tasks
        }


def whole(batch: dict, rank: int, world_size: int, step: int) -> dict:
    return {k: v[rank::world_size] for k, v in batch.items()}


def in_pieces(batch: dict, rank: int, world_size: int, step: int,
              sizes=(6, 6), used_on=((0, ), ) * STEPS) -> dict:
    ranks = range(2) if world_size == 1 else [rank]
    return dict(
        inputs=[batch['inputs'].split(sizes)[r] for r in ranks],
        labels=[batch['labels'].split(sizes)[r] for r in ranks],
        uses_all=[r in used_on[step % STEPS] for r in ranks])


def without_conflict_on_rank_1(batch: dict, rank: int, world_size: int,
                               step: int) -> dict:
    """Both tasks have the same labels there."""
    labels = batch['labels'].clone()
    labels[1::2] = 0
    return whole(dict(batch, labels=labels), rank, world_size, step)


SCENARIOS = {
    **{
        f'{options["probe"]}_{counts}':
        dict(options, accumulative_counts=counts)
        for options in (PARAMETERS, FEATURES, MODULES) for counts in (1, 2)
    },
    'parameters_shared': dict(PARAMETERS, apply_to='shared'),
    'features_shared': dict(FEATURES, apply_to='shared'),
    'parameters_interval': dict(PARAMETERS, interval=2),
    'parameters_listed_twice': dict(PARAMETERS, twice=True),
    'parameters_unused': dict(PARAMETERS, share=in_pieces),
    'features_unused': dict(FEATURES, share=in_pieces),
    'parameters_dropped': dict(
        PARAMETERS, share=partial(in_pieces, used_on=USED_ON)),
    'parameters_dropped_2': dict(
        PARAMETERS, share=partial(in_pieces, used_on=USED_ON),
        accumulative_counts=2),
    'parameters_unequal': dict(
        PARAMETERS, share=partial(in_pieces, sizes=(8, 4))),
    'features_unequal': dict(
        FEATURES, share=partial(in_pieces, sizes=(8, 4))),
    'parameters_one_rank': dict(
        PARAMETERS, share=without_conflict_on_rank_1),
    'features_one_rank': dict(FEATURES, share=without_conflict_on_rank_1),
}


def make(share) -> TwoTaskModel:
    return make_model(conflict=True) if share in (
        whole, without_conflict_on_rank_1) else Pieces()


def train(model, optimizer, rank: int, world_size: int, share=whole,
          **options) -> list[float]:
    """What is logged of a few iterations on this rank's share."""
    wrapper = GHOptimWrapper(
        optimizer=optimizer, harmonizer=Measured(), **options)
    wrapper.message_hub.log_scalars.clear()
    iterations = STEPS * wrapper._accumulative_counts
    wrapper.initialize_count_status(model, 0, iterations)
    for i in range(iterations):
        batch = share(make_batch(12, seed=i), rank, world_size, step=i)
        model.train_step(batch, wrapper)
    return [
        wrapper.message_hub.get_scalar(f'train/{name}').data[0].tolist()
        for name in ('angle', 'weight_cls', 'weight_alignment', 'size')
    ]


def make_optimizer(model, twice=()) -> SGD:
    """Weight decay moves what has a gradient of zeros, but not of None."""
    return SGD([*model.parameters(), *twice],
               lr=0.01,
               momentum=0.9,
               weight_decay=0.1)


def run(rank: int, world_size: int, share=whole, twice=False,
        **options) -> dict:
    model = wrapped = make(share)
    if world_size > 1:
        wrapped = MMDistributedDataParallel(
            model, find_unused_parameters=isinstance(model, Pieces))
    optimizer = make_optimizer(
        model, model.trunk.parameters() if twice else ())
    logged = train(wrapped, optimizer, rank, world_size, share, **options)
    return dict(state=model.state_dict(), logged=logged)


def run_sharded(rank: int, policy) -> dict:
    model = MMFullyShardedDataParallel(
        make_model(conflict=True),
        device_id=torch.device('cpu'),
        auto_wrap_policy=policy)
    logged = train(model, make_optimizer(model), rank, 2, **FEATURES)
    with MMFullyShardedDataParallel.summon_full_params(model):
        state = {k: v.clone() for k, v in model.module.state_dict().items()}
    return dict(
        state={
            k.replace('_fsdp_wrapped_module.', ''): v
            for k, v in state.items()
        },
        logged=logged)


def sharded_by_wrapper(model: nn.Module) -> nn.Module:
    return MMFullyShardedDataParallel(model, device_id=torch.device('cpu'))


def sharded_by_parameter(model: nn.Module) -> nn.Module:
    """As torch does since 2.6."""
    from torch.distributed.fsdp import fully_shard
    mesh = distributed.init_device_mesh('cpu', (2, ))
    return fully_shard(model, mesh=mesh)


SHARDINGS = [sharded_by_wrapper]
if hasattr(fsdp, 'fully_shard'):
    SHARDINGS.append(sharded_by_parameter)


def refusal_of_sharding(options: dict, shard) -> str:
    model = shard(make_model(conflict=True))
    try:
        train(model, make_optimizer(model), 0, 2, **options)
    except ValueError as error:
        return str(error)


def count_messages(options: dict) -> dict:
    """Bytes of a training's gradients that torch's wrapper sends and we do,
    and our messages, those included that only say who reached what."""
    sent = dict(wrapper=0, ours=0, our_messages=0)
    all_reduce = distributed.all_reduce

    def count_ours(tensor, *args, **kwargs):
        if tensor.is_floating_point():
            sent['ours'] += tensor.nbytes
        sent['our_messages'] += 1
        return all_reduce(tensor, *args, **kwargs)

    def count_wrapper(_, bucket):
        sent['wrapper'] += bucket.buffer().nbytes
        work = all_reduce(bucket.buffer() / 2, async_op=True)
        return work.get_future().then(lambda future: future.value()[0])

    model = MMDistributedDataParallel(make_model(conflict=True))
    model.register_comm_hook(None, count_wrapper)
    distributed.all_reduce = count_ours
    try:
        train(model, make_optimizer(model), distributed.get_rank(), 2,
              **options)
    finally:
        distributed.all_reduce = all_reduce
    return sent


def buffers_of_batch_norm(rank: int, probe: str) -> Tensor:
    """Running mean of rank 1 after steps that broadcast rank 0's."""
    model = make_model(conflict=True)
    model.trunk.append(nn.BatchNorm1d(8))
    wrapped = MMDistributedDataParallel(model, broadcast_buffers=True)
    train(wrapped, SGD(model.parameters(), lr=0.), rank, 2, probe=probe)
    return model.trunk[-1].running_mean


def work(rank: int) -> dict:
    results = {name: run(rank, 2, **SCENARIOS[name]) for name in SCENARIOS}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rank_average, '_BUCKET_BYTES', 100)
        results['small_messages'] = run(rank, 2, **PARAMETERS)
    if CPU_CAN_BE_SHARDED:
        results['fsdp'] = run_sharded(rank, None)
        results['fsdp_by_layer'] = run_sharded(
            rank, partial(size_based_auto_wrap_policy, min_num_params=5))
    for options in (PARAMETERS, MODULES):
        for shard in SHARDINGS:
            results[f'refusal_{options["probe"]}_{shard.__name__}'] = (
                refusal_of_sharding(options, shard))
    if sends_bfloat16():
        results['half'] = run(rank, 2, **HALF)
        results['half_modules'] = run(
            rank, 2, **MODULES, reduce_dtype='bfloat16')
        results['messages_half'] = count_messages(HALF)
    for name in ('parameters_1', 'parameters_2', 'features_1', 'features_2'):
        results[f'messages_{name}'] = count_messages(SCENARIOS[name])
    for probe in ('features', 'parameters'):
        results[f'buffers_{probe}'] = buffers_of_batch_norm(rank, probe)
    return results


@pytest.fixture(scope='module')
def ranks() -> list[dict]:
    """What both ranks saw, in all scenarios."""
    return on_two_ranks(work)


def skip_without(name: str, ranks: list[dict]) -> None:
    if name not in ranks[0]:
        pytest.skip('no bfloat16 by this gloo')


def assert_equal(result: dict, single: dict) -> None:
    torch.testing.assert_close(
        result['state'], single['state'], rtol=1e-5, atol=1e-6)
    for values, expected in zip(result['logged'], single['logged']):
        assert values == pytest.approx(expected, rel=1e-5)


@pytest.mark.filterwarnings('ignore:optimizer contains a parameter group')
@pytest.mark.parametrize('name', SCENARIOS)
def test_ranks_harmonize_the_whole_batch(ranks, name):
    single = run(0, 1, **SCENARIOS[name])
    assert max(single['logged'][0]) > 91
    for result in ranks:
        assert_equal(result[name], single)


def test_gradients_travel_in_several_messages(ranks):
    single = run(0, 1, **PARAMETERS)
    for result in ranks:
        assert_equal(result['small_messages'], single)


@pytest.mark.parametrize('name', [*SCENARIOS, 'half', 'half_modules'])
def test_ranks_step_alike_to_the_last_bit(ranks, name):
    skip_without(name, ranks)
    first, second = (result[name] for result in ranks)
    assert first['logged'] == second['logged']
    for key, value in first['state'].items():
        assert torch.equal(value, second['state'][key])


@pytest.mark.parametrize('name, options', [('half', PARAMETERS),
                                           ('half_modules', MODULES)])
def test_gradients_sent_in_bfloat16_are_rounded_and_no_more(
        ranks, name, options):
    skip_without(name, ranks)
    single, found = run(0, 1, **options), ranks[0][name]
    before = make_model(conflict=True).state_dict()
    for key, value in single['state'].items():
        step = value - before[key]
        error = (found['state'][key] - value).norm() / step.norm()
        assert 0 < error < 0.01
    assert found['logged'][0] == pytest.approx(single['logged'][0], abs=1)


@pytest.mark.parametrize('probe', ['parameters', 'features'])
def test_parameters_used_nowhere_do_not_move(ranks, probe):
    for result in ranks:
        weight = result[f'{probe}_unused']['state']['unused.weight']
        assert torch.equal(weight, Pieces().unused.weight)


@pytest.mark.skipif(not CPU_CAN_BE_SHARDED, reason='no FSDP on this CPU')
@pytest.mark.parametrize('name', ['fsdp', 'fsdp_by_layer'])
def test_features_are_compared_under_fsdp(ranks, name):
    single = run(0, 1, **FEATURES)
    for result in ranks:
        assert_equal(result[name], single)


@pytest.mark.parametrize('shard', SHARDINGS)
@pytest.mark.parametrize('probe', ['parameters', 'modules'])
def test_fsdp_without_features_is_refused(ranks, probe, shard):
    message = ranks[0][f'refusal_{probe}_{shard.__name__}']
    assert "`probe` should be 'features' under FSDP" in message
    assert repr(probe) in message


def test_gradients_are_synchronised_exactly_once(ranks):
    """Per step: those of two tasks by us, or those of the sum by torch."""
    model = make_model(conflict=True)
    trunk, whole = (
        sum(p.nbytes for p in module.parameters())
        for module in (model.trunk, model))
    sent = {k: v for k, v in ranks[0].items() if k.startswith('messages')}
    # The heads are reached by one task each, the trunk by both. There is a
    # message per task; whether the tasks still are, and reach, the same; and
    # once what they reach. At the first step whether the tasks are the same.
    ours = dict(
        wrapper=0,
        ours=STEPS * (whole + trunk),
        our_messages=STEPS * 3 + 2)
    assert sent['messages_parameters_1'] == ours
    assert sent['messages_parameters_2'] == ours
    if 'messages_half' in sent:
        assert sent['messages_half'] == dict(ours, ours=ours['ours'] / 2)
    # The Gramians of all micro-batches.
    gramian = 4 * 4
    assert sent['messages_features_1'] == dict(
        wrapper=STEPS * whole, ours=STEPS * gramian, our_messages=STEPS + 1)
    assert sent['messages_features_2'] == dict(
        wrapper=STEPS * whole,
        ours=STEPS * 2 * gramian,
        our_messages=STEPS * 2 + 1)


def test_features_are_not_sent_in_bfloat16():
    with pytest.raises(ValueError, match='communication hook.*bfloat16'):
        GHOptimWrapper(
            optimizer=make_optimizer(make_model(conflict=True)),
            harmonizer=GHPlusPlus(),
            probe='features',
            reduce_dtype='bfloat16')


def test_other_types_of_messages_are_refused():
    with pytest.raises(ValueError, match='`reduce_dtype`.*int8'):
        GHOptimWrapper(
            optimizer=make_optimizer(make_model(conflict=True)),
            harmonizer=GHPlusPlus(),
            reduce_dtype='int8')


def test_buffers_are_broadcast_as_by_the_stock_wrapper(ranks):
    torch.testing.assert_close(ranks[1]['buffers_parameters'],
                               ranks[1]['buffers_features'])
