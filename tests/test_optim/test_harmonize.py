"""mmgh.harmonize against gradients by hand, and against the wrapper."""
from __future__ import annotations

import copy
from math import cos, inf, isnan, sin

import pytest
import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.checkpoint import checkpoint

import mmgh
from mmgh.compat import is_at_least
from mmgh.harmonizers import (GH, GHPlusPlus, GradVac, PairHarmonizer,
                              RelativeClip)
from mmgh.optim import GHOptimWrapper
from mmgh.task_losses import attach_task_losses, map_task_losses
from tests.processes import on_two_ranks, sends_bfloat16
from .two_task_model import make_batch, make_model, total_loss

TASKS = ('alignment', 'cls')


def losses_of(model, batch) -> dict:
    losses = model(**batch)
    return {task: losses[f'loss_{task}'] for task in TASKS}


def grads(model) -> dict:
    return {name: p.grad.clone() for name, p in model.named_parameters()}


def make_double(conflict: bool = True):
    batch = {name: value.double() for name, value in make_batch().items()}
    return make_model(conflict).double(), batch


def vectors(model, losses) -> list:
    """The gradient of each task on the trunk."""
    return [
        torch.cat([
            grad.flatten() for grad in torch.autograd.grad(
                loss, [*model.trunk.parameters()], retain_graph=True)
        ]) for loss in losses.values()
    ]


def projected(first, second):
    """GH: each loses its component along the other."""
    product = first @ second
    return (first - product / second.square().sum() * second + second -
            product / first.square().sum() * first)


def rotated(first, second):
    """GH++: both turn in their plane until they are orthogonal."""
    norms = first.norm(), second.norm()
    u = first / norms[0]
    v = second - (second @ u) * u
    v /= v.norm()
    angle = torch.arccos(first @ second / norms[0] / norms[1]).item()
    turn = (angle - torch.pi / 2) / 2
    new = (norms[0] * (cos(turn) * u + sin(turn) * v),
           norms[1] * (cos(angle - turn) * u + sin(angle - turn) * v))
    assert (new[0] @ new[1]).abs() < 1e-9
    return new[0] + new[1]


@pytest.mark.parametrize('harmonizer, oracle', [
    ('GH', projected),
    ('mmgh.GHPlusPlus', rotated),
    (dict(type='mmgh.GHPlusPlus'), rotated),
    (GHPlusPlus(), rotated),
    (GH().weigh, projected),
    ('Observe', torch.add),
])
def test_gradient_of_what_is_shared_is_that_by_hand(harmonizer, oracle):
    model, batch = make_double()
    losses = losses_of(model, batch)
    expected = oracle(*vectors(model, losses))
    mmgh.harmonize(losses, model, harmonizer, max_weight=inf)
    found = torch.cat([p.grad.flatten() for p in model.trunk.parameters()])
    torch.testing.assert_close(found, expected)


def test_what_is_measured_is_what_was_done():
    model, batch = make_double()
    losses = losses_of(model, batch)
    first, second = vectors(model, losses)
    heads = model.discriminator, model.classifier
    plain = [
        torch.autograd.grad(loss, head.weight, retain_graph=True)[0]
        for loss, head in zip(losses.values(), heads)
    ]
    measured = mmgh.harmonize(losses, model, 'GH', max_weight=inf)
    for task, head, grad in zip(TASKS, heads, plain):
        torch.testing.assert_close(head.weight.grad,
                                   measured.weights[task] * grad)
        assert measured[f'weight_{task}'] == measured.weights[task]
    cosine = first @ second / first.norm() / second.norm()
    assert cosine < -0.1
    torch.testing.assert_close(
        dict(measured),
        dict(
            measured,
            cosine=cosine,
            angle=torch.rad2deg(torch.arccos(cosine)),
            norm_ratio=first.norm() / second.norm(),
            grad_norm_alignment=first.norm(),
            grad_norm_cls=second.norm(),
            conflict=torch.ones_like(cosine),
            opposed=torch.zeros_like(cosine)))
    assert measured.floats() == {k: v.item() for k, v in measured.items()}
    assert str(measured.floats()) in repr(measured)


@pytest.mark.parametrize('options', [
    {},
    dict(max_weight=1.1),
    dict(apply_to='shared'),
    dict(shared=['trunk.0.weight']),
    dict(harmonizer=dict(type='mmgh.TorchJD', name='MGDA')),
])
def test_equals_the_wrapper_bit_for_bit(options):
    if 'harmonizer' in options:
        pytest.importorskip('torchjd')
    options = {'harmonizer': dict(type='mmgh.GHPlusPlus'), **options}
    model, batch = make_model(conflict=True), make_batch()
    reference = copy.deepcopy(model)
    mmgh.harmonize(losses_of(model, batch), model, **options)
    wrapper = GHOptimWrapper(
        optimizer=torch.optim.SGD(reference.parameters(), lr=1), **options)
    wrapper.initialize_count_status(reference, 0, 10)
    wrapper.backward(total_loss(reference, batch))
    expected = grads(reference)
    for name, grad in grads(model).items():
        assert torch.equal(grad, expected[name])


def test_a_total_that_carries_its_losses_and_pairs_will_do():
    model, batch = make_model(conflict=True), make_batch()
    losses = losses_of(model, batch)
    mmgh.harmonize(losses, model, 'GH', retain_graph=True)
    expected = grads(model)
    model.zero_grad()
    swapped = dict(reversed([*losses.items()]))
    total = attach_task_losses(sum(losses.values()), swapped, pairs=[TASKS])
    measured = mmgh.harmonize(total, model, 'GH')
    assert measured.groups[0].tasks == TASKS
    torch.testing.assert_close(grads(model), expected)


def test_calls_add_up_as_backward_does():
    model, batches = make_model(True), [make_batch(seed=i) for i in (0, 1)]
    each = []
    for batch in batches:
        model.zero_grad()
        mmgh.harmonize(losses_of(model, batch), model, 'GH')
        each.append(grads(model))
    model.zero_grad()
    for batch in batches:
        mmgh.harmonize(losses_of(model, batch), model.parameters(), 'GH')
    expected = {name: each[0][name] + each[1][name] for name in each[0]}
    torch.testing.assert_close(grads(model), expected)


def test_accumulated_halves_equal_one_batch():
    model, batch = make_double()
    mmgh.harmonize(losses_of(model, batch), model, 'GHPlusPlus')
    expected = grads(model)
    model.zero_grad()
    kept = {}
    for start, is_last in ((0, False), (6, True)):
        half = {k: v[start:start + 6] for k, v in batch.items()}
        losses = {k: v / 2 for k, v in losses_of(model, half).items()}
        measured = mmgh.harmonize(
            losses, model, 'GHPlusPlus', accumulated=kept, is_last=is_last)
        assert (measured is None) is bool(kept) is not is_last
    torch.testing.assert_close(grads(model), expected)


def test_what_is_not_named_gets_the_plain_gradient():
    model, batch = make_model(conflict=True), make_batch()
    plain = torch.autograd.grad(
        losses_of(model, batch)['cls'], model.classifier.weight)[0]
    mmgh.harmonize(losses_of(model, batch), model.trunk, 'GH')
    assert torch.equal(model.classifier.weight.grad, plain)


def test_frozen_parameters_stay_without_gradient():
    model, batch = make_model(conflict=True), make_batch()
    model.trunk[0].bias.requires_grad_(False)
    mmgh.harmonize(losses_of(model, batch), model, 'GH')
    assert model.trunk[0].bias.grad is None


def test_scaler_scales_the_gradient_and_not_what_is_measured():
    pytest.importorskip('torch', '2.3')  # Before, it scales on GPUs alone.
    model, batch = make_model(conflict=True), make_batch()
    plain = mmgh.harmonize(losses_of(model, batch), model, 'GHPlusPlus')
    expected = grads(model)
    model.zero_grad()
    scaled = mmgh.harmonize(
        losses_of(model, batch), model, 'GHPlusPlus',
        scaler=torch.amp.GradScaler('cpu', init_scale=2.**70))
    assert scaled.floats() == pytest.approx(plain.floats())
    for name, grad in grads(model).items():
        torch.testing.assert_close(grad / 2.**70, expected[name])


def test_overflow_is_skipped_by_the_scaler_and_forgotten():
    pytest.importorskip('torch', '2.3')
    model, batch = make_model(conflict=True), make_batch()
    before = copy.deepcopy(model.state_dict())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    scaler = torch.amp.GradScaler('cpu', init_scale=1e38)
    harmonizer = GradVac()
    losses = {k: 10 * v for k, v in losses_of(model, batch).items()}
    measured = mmgh.harmonize(losses, model, harmonizer, scaler=scaler)
    assert all(map(isnan, measured.floats().values()))
    assert [*measured.weights.values()] == [1, 1]
    assert harmonizer.average == 0
    scaler.step(optimizer)
    scaler.update()
    assert scaler.get_scale() < 1e38
    torch.testing.assert_close(model.state_dict(), before)


@pytest.mark.parametrize('make', [GradVac, lambda: RelativeClip(0.01)])
def test_memory_is_in_the_object(make):
    model, reference = make_model(conflict=True), make_model(conflict=True)
    harmonizer = make()
    wrapper = GHOptimWrapper(
        optimizer=torch.optim.SGD(reference.parameters(), lr=0.01),
        harmonizer=make())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for seed in range(4):
        if seed == 2:  # resumed
            state = harmonizer.state_dict()
            harmonizer = make()
            harmonizer.load_state_dict(state)
        mmgh.harmonize(
            losses_of(model, make_batch(seed=seed)), model, harmonizer)
        optimizer.step()
        optimizer.zero_grad()
        wrapper.update_params(total_loss(reference, make_batch(seed=seed)))
    remembered = getattr(harmonizer, harmonizer.memory[0])
    assert not torch.equal(remembered, torch.zeros(()))
    torch.testing.assert_close(
        model.state_dict(), reference.state_dict(), rtol=0, atol=0)


@pytest.mark.parametrize('harmonizer', [
    'GradVac',
    dict(type='mmgh.RelativeClip'),
    [dict(type='mmgh.GradVac')],
])
def test_memory_without_an_object_is_refused(harmonizer):
    model = make_model(conflict=True)
    with pytest.raises(ValueError, match='object that you keep.*lost'):
        mmgh.harmonize(
            losses_of(model, make_batch()), model, harmonizer, pairs=[TASKS])


def three_losses(model) -> dict:
    batch = make_batch()
    return dict(losses_of(model, batch), ink=model(**batch)['mean_score'])


def test_memory_of_other_tasks_is_refused():
    model, harmonizer = make_model(conflict=True), GradVac()
    pairs = [TASKS, ('ink', 'cls')]
    with pytest.raises(ValueError, match=r"'ink', 'cls'\).*memory of.*'align"):
        mmgh.harmonize(three_losses(model), model, harmonizer, pairs=pairs)
    measured = mmgh.harmonize(
        three_losses(model), model, [GradVac(), GradVac()], pairs=pairs)
    assert set(measured.weights) == {*TASKS, 'ink'}


def test_weights_of_pairs_multiply():
    model = make_model(conflict=True)
    measured = mmgh.harmonize(
        three_losses(model), model, 'GHPlusPlus',
        pairs=[TASKS, ('ink', 'cls')])
    product = measured['weight_cls_alignment_cls'] * measured[
        'weight_cls_ink_cls']
    assert measured.weights['cls'] == product


def refuse(match: str, error: type = ValueError, losses=None,
           parameters=None, harmonizer='GH', **options) -> None:
    model = make_model(conflict=True)
    losses = losses(model) if losses else losses_of(model, make_batch())
    parameters = parameters(model) if parameters else model
    with pytest.raises(error, match=match):
        mmgh.harmonize(losses, parameters, harmonizer, **options)


def one_of(model):
    return dict(cls=losses_of(model, make_batch())['cls'])


def test_losses_that_do_not_fit_are_refused():
    refuse('at least two tasks.*cls', losses=one_of)
    refuse('`pairs` should name the tasks', losses=three_losses)
    refuse('`losses`.*scalar', losses=lambda model: dict(
        one_of(model), b=torch.ones(3)))
    refuse('`losses`.*scalar', TypeError, losses=lambda model: dict(
        one_of(model), b=1.))
    refuse('`losses`.*dict', TypeError, losses=lambda model: [1, 2])
    refuse('task `b`.*no gradient', losses=lambda model: dict(
        one_of(model), b=torch.tensor(1.)))
    refuse('should carry its task losses', losses=lambda model: sum(
        losses_of(model, make_batch()).values()))
    refuse('sum up', losses=lambda model: total_loss(
        model, make_batch()).mul_(2))


def test_parameters_that_do_not_fit_are_refused():
    refuse('share trained parameters', RuntimeError,
           parameters=lambda model: model.classifier)
    refuse('none of them', parameters=lambda model: nn.Identity())
    refuse('none of them', parameters=lambda model: iter(()))
    refuse('dict', TypeError, parameters=lambda model: torch.optim.SGD(
        model.parameters(), 0.1).param_groups)
    refuse('module.* got a SGD', TypeError, parameters=lambda model: (
        torch.optim.SGD(model.parameters(), 0.1)))
    refuse('Tensor', TypeError, parameters=lambda model: 2 *
           model.classifier.weight)


def test_options_that_do_not_fit_are_refused():
    refuse("`harmonizer`.*'GHPlusPlus'.*but got 'GHPP'", harmonizer='GHPP')
    refuse('`harmonizer`.*config', TypeError, harmonizer=None)
    refuse("`shared`.*'neck'.*'trunk'", shared=['trunk', 'neck'])
    refuse('`shared`.*a list', TypeError, shared='trunk')
    refuse('`parameters`.*module.*`shared`', TypeError, shared=['trunk'],
           parameters=lambda model: model.parameters())
    refuse('`apply_to`', apply_to='all')
    refuse('`max_weight`', max_weight=0.5)
    refuse('`accumulated`', is_last=False)


@pytest.mark.parametrize('change', [
    lambda total: total / 1,
    lambda total: 2 * (total + 1),
    lambda total: torch.stack([total]).sum(),
])
@pytest.mark.parametrize('use', [
    lambda total, model: mmgh.harmonize(total, model, 'GH'),
    lambda total, model: GHOptimWrapper(
        optimizer=torch.optim.SGD(model.parameters(), lr=1),
        harmonizer=GH()).update_params(total),
])
def test_arithmetic_on_the_total_is_refused(use, change):
    model = make_model(conflict=True)
    total = total_loss(model, make_batch())
    with pytest.raises(ValueError, match='arithmetic.*map_task_losses'):
        use(change(total), model)
    use(map_task_losses(total, lambda loss: 2 * loss), model)


def test_wrapper_refuses_to_step_with_the_plain_gradient():
    model = make_model(conflict=True)
    wrapper = GHOptimWrapper(
        optimizer=torch.optim.SGD(model.parameters(), lr=1), harmonizer=GH())
    for _ in range(2):
        before = copy.deepcopy(model.state_dict())
        total = total_loss(model, make_batch())
        (total / 1).backward()  # as `accelerator.backward(total)`
        with pytest.raises(RuntimeError, match='`accelerator.backward'):
            wrapper.step()
        torch.testing.assert_close(model.state_dict(), before)
        wrapper.zero_grad()
        wrapper.update_params(total_loss(model, make_batch()))


def test_wrapper_may_step_with_gradients_of_a_single_task():
    """As in methods that alternate, where another wrapper ran the pass."""
    model = make_model(conflict=True)
    before = copy.deepcopy(model.state_dict())
    wrapper = GHOptimWrapper(
        optimizer=torch.optim.SGD(model.parameters(), lr=1), harmonizer=GH())
    loss = model(**make_batch())['loss_cls']
    attach_task_losses(2 * loss, dict(cls=2 * loss)).backward()
    wrapper.step()
    assert not torch.equal(before['classifier.weight'],
                           model.classifier.weight)


def test_plain_training_is_no_concern_of_a_wrapper_elsewhere():
    model, other = make_model(conflict=True), make_model(conflict=True)
    wrapper = GHOptimWrapper(
        optimizer=torch.optim.SGD(model.parameters(), lr=1), harmonizer=GH())
    for _ in range(2):
        total_loss(other, make_batch()).backward()
        wrapper.update_params(total_loss(model, make_batch()))


def gradient_of_rank(rank: int, sync: bool, **options) -> dict | str:
    model = make_model(conflict=True)
    wrapped = DistributedDataParallel(model)
    half = {k: v[6 * rank:6 * rank + 6] for k, v in make_batch().items()}
    try:
        if sync:
            losses = wrapped(**half)
        else:
            with wrapped.no_sync():
                losses = wrapped(**half)
        mmgh.harmonize({task: losses[f'loss_{task}'] for task in TASKS},
                       wrapped, 'GHPlusPlus', **options)
    except RuntimeError as error:
        return str(error)
    return grads(model)


def refusal_of_shards(rank: int) -> str:
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.tensor import distribute_tensor
    model = nn.Linear(4, 2)
    losses = dict(a=model(torch.ones(4))[0], b=model(torch.ones(4))[1])
    shard = distribute_tensor(torch.ones(4), init_device_mesh('cpu', (2, )))
    try:
        mmgh.harmonize(losses, [*model.parameters(), nn.Parameter(shard)],
                       'GH')
    except ValueError as error:
        return str(error)


def test_shards_are_refused():
    pytest.importorskip('torch', '2.5')
    for found in on_two_ranks(refusal_of_shards):
        assert '`parameters` should be whole' in found


def test_two_ranks_harmonize_the_whole_batch():
    model = make_model(conflict=True)
    mmgh.harmonize(losses_of(model, make_batch()), model, 'GHPlusPlus')
    for found in on_two_ranks(gradient_of_rank, False):
        torch.testing.assert_close(found, grads(model))


def gradients_in_half_and_whole(rank: int) -> tuple[dict, dict] | None:
    if not sends_bfloat16():
        return None
    return (gradient_of_rank(rank, False, reduce_dtype='bfloat16'),
            gradient_of_rank(rank, False))


def test_ranks_may_send_bfloat16():
    for found in on_two_ranks(gradients_in_half_and_whole):
        if found is None:
            pytest.skip('no bfloat16 by this gloo')
        half, whole = found
        for name, grad in whole.items():
            assert 0 < (half[name] - grad).norm() / grad.norm() < 0.01


def test_ranks_that_average_twice_are_refused():
    for found in on_two_ranks(gradient_of_rank, True):
        assert 'under `model.no_sync()`' in found


@pytest.mark.parametrize('dtype', [
    pytest.param(torch.float16, marks=pytest.mark.skipif(
        not is_at_least(torch.__version__, '2.3'),
        reason='autocast of this torch has no float16 on a CPU')),
    torch.bfloat16])
@pytest.mark.parametrize('factor', [1., 1e-5])
def test_gradients_are_compared_outside_of_autocast(dtype, factor):
    """Whose products of small numbers would be 0."""
    found = []
    for enabled in (False, True):
        model, batch = make_model(conflict=True), make_batch()
        losses = {task: factor * loss
                  for task, loss in losses_of(model, batch).items()}
        with torch.autocast('cpu', dtype=dtype, enabled=enabled):
            measured = mmgh.harmonize(losses, model, 'GH')
        found.append((measured.floats(), grads(model)))
    assert found[0][0]['conflict'] == 1
    torch.testing.assert_close(found[1], found[0], rtol=0, atol=0)


class Fused(torch.autograd.Function):
    """The outputs of two heads at once, as a compiled graph gives them."""

    @staticmethod
    def forward(ctx, features, first, second):
        ctx.save_for_backward(features, first, second)
        return features @ first, features @ second

    @staticmethod
    def backward(ctx, *grads):
        features, *weights = ctx.saved_tensors
        return (sum(g @ w.T for g, w in zip(grads, weights)),
                *(features.T @ g for g in grads))


class TwoHeads(nn.Module):

    def __init__(self, function) -> None:
        super().__init__()
        torch.manual_seed(2)
        self.trunk = nn.Linear(4, 8)
        self.first = nn.Parameter(torch.randn(8, 1))
        self.second = nn.Parameter(torch.randn(8, 1))
        self.function = function

    def losses(self) -> dict:
        features = self.trunk(make_batch()['inputs'])
        first, second = self.function(features, self.first, self.second)
        return dict(alignment=-(first + 3).square().mean(),
                    cls=(second - 2 * first.detach()).square().mean())


def apart(features, first, second):
    return features @ first, features @ second


def checkpointed(*inputs):
    return checkpoint(apart, *inputs, use_reentrant=True)


@pytest.mark.parametrize('harmonizer', [GH(), RelativeClip(ratio=0.01)])
@pytest.mark.parametrize('function', [
    pytest.param(Fused.apply, marks=pytest.mark.skipif(
        not hasattr(torch.autograd.graph.Node, '_input_metadata'),
        reason='this torch does not tell how many outputs a function has')),
    checkpointed, torch.compile(apart, backend='aot_eager')])
def test_zeros_of_fused_heads_are_not_taken_for_shared(function, harmonizer):
    found = []
    for one in (apart, function):
        model = TwoHeads(one)
        measured = mmgh.harmonize(
            model.losses(), model, copy.deepcopy(harmonizer))
        found.append((measured.floats(), grads(model)))
    assert max(abs(weight - 1) for name, weight in found[0][0].items()
               if name.startswith('weight')) > 0.1
    torch.testing.assert_close(found[1], found[0])


class Numbers(PairHarmonizer):
    """Weighs by Python's numbers, and tells one."""

    def conflict_weights(self, cosine, norm_ratio):
        return 1.5, 0.5

    def scalars(self):
        return dict(mine=3.)


def test_harmonizer_may_return_numbers():
    model, batch = make_double()
    measured = mmgh.harmonize(losses_of(model, batch), model, Numbers())
    assert measured.floats()['weight_alignment'] == 1.5
    assert measured.floats()['weight_cls'] == 0.5
    assert measured.floats()['mine'] == 3


def test_list_of_harmonizers_may_have_names():
    pairs = [('alignment', 'cls')]
    found = []
    for harmonizer in ('GH', ['GH']):
        model, batch = make_double()
        mmgh.harmonize(
            losses_of(model, batch), model, harmonizer, pairs=pairs)
        found.append(grads(model))
    torch.testing.assert_close(*found, rtol=0, atol=0)
