"""The three places where gradients are compared, and reused weights."""
from __future__ import annotations

import copy
import math
from functools import partial

import pytest
import torch
from mmengine.optim import OptimWrapper
from torch.optim import SGD

from mmgh.harmonizers import GHPlusPlus
from mmgh.optim import GHOptimWrapper
from mmgh.task_losses import (get_shared_features, get_task_losses,
                              map_task_losses)
from ..log_warnings import warnings_of
from .two_task_model import make_batch, make_model, total_loss

TASKS = ('loss_alignment', 'loss_cls')


def gh_wrapper(model, lr=0.05, **kwargs) -> GHOptimWrapper:
    kwargs.setdefault('max_weight', float('inf'))
    kwargs.setdefault('harmonizer', dict(type='mmgh.GHPlusPlus'))
    wrapper = GHOptimWrapper(
        optimizer=SGD(model.parameters(), lr=lr, momentum=0.9), **kwargs)
    wrapper.initialize_count_status(model, 0, 100)
    return wrapper


def weights_from(gradients: list[torch.Tensor]) -> dict:
    rows = torch.stack([g.flatten() for g in gradients]).double()
    return dict(zip(TASKS, GHPlusPlus()(rows @ rows.T).float()))


def weights_at_features(model, batch) -> dict:
    """From the heads alone, on a copy of the features."""
    features = model.trunk(batch['inputs']).detach().requires_grad_()
    losses = model.losses_of_heads(features, batch['labels'])
    return weights_from([
        torch.autograd.grad(losses[name], features, retain_graph=True)[0]
        for name in TASKS
    ])


def weights_at(module_of, model, batch) -> dict:
    gradients = []
    for name in TASKS:
        probe = copy.deepcopy(model)
        probe(**batch)[name].backward()
        gradients.append(
            torch.cat([p.grad.flatten() for p in module_of(probe)]))
    return weights_from(gradients)


PROBES = {
    'features': (dict(probe='features'), weights_at_features),
    'modules': (dict(probe='modules', shared=['trunk.0.bias']),
                partial(weights_at, lambda model: [model.trunk[0].bias])),
    'parameters': (dict(probe='parameters'),
                   partial(weights_at, lambda model: model.trunk.parameters()))
}


@pytest.mark.parametrize('probe', PROBES)
def test_step_equals_stock_step_on_the_weighted_loss(probe, message_hub):
    options, weights_of = PROBES[probe]
    model, batch = make_model(conflict=True), make_batch()
    reference = copy.deepcopy(model)
    gh = gh_wrapper(model, **options)
    stock = OptimWrapper(SGD(reference.parameters(), lr=0.05, momentum=0.9))
    assert max(weights_of(reference, batch).values()) > 1.05
    for _ in range(3):
        weights = weights_of(reference, batch)
        losses = reference(**batch)
        stock.update_params(sum(weights[k] * losses[k] for k in TASKS))
        gh.update_params(total_loss(model, batch))
        torch.testing.assert_close(model.state_dict(), reference.state_dict())
        logged = [
            message_hub.get_scalar(f'train/weight_{task}').current()
            for task in ('alignment', 'cls')
        ]
        assert logged == pytest.approx(
            [weights[k].item() for k in TASKS], rel=1e-4)


def grads(model):
    return {name: p.grad for name, p in model.named_parameters()}


@pytest.mark.parametrize('probe', ['features', 'parameters'])
def test_apply_to_shared_weighs_the_trunk_alone(probe):
    model, batch = make_model(conflict=True), make_batch()
    models = [copy.deepcopy(model) for _ in range(3)]
    for net, apply_to in zip(models, ('loss', 'shared')):
        gh_wrapper(
            net, probe=probe, apply_to=apply_to).backward(
                total_loss(net, batch))
    total_loss(models[2], batch).backward()
    whole, shared, plain = map(grads, models)
    for name in plain:
        in_trunk = name.startswith('trunk')
        torch.testing.assert_close(
            shared[name], (whole if in_trunk else plain)[name])
        assert not torch.allclose(
            shared[name], (plain if in_trunk else whole)[name], rtol=1e-3)


def test_features_in_two_tensors_count_as_one_long_vector(message_hub):
    """As with one forward pass for each domain."""
    model, batch = make_model(conflict=True), make_batch()
    gh_wrapper(model, probe='features').backward(total_loss(model, batch))
    expected = message_hub.get_scalar('train/cosine').current()

    def compute(features, labels):
        return model.losses_of_heads(torch.cat(features[0]), labels)

    halves = [model.trunk(part) for part in batch['inputs'].split(5)]
    losses = model.losses_at((halves, None), compute, batch['labels'])
    gh_wrapper(model, probe='features').backward(model.parse_losses(losses)[0])
    cosine = message_hub.get_scalar('train/cosine').current()
    assert cosine == pytest.approx(expected, rel=1e-5) and cosine < 0


def test_feature_probe_runs_the_trunk_backward_once():
    model, batch = make_model(conflict=True), make_batch()
    passes = []
    model.trunk.register_full_backward_hook(lambda *args: passes.append(1))
    for count, probe in ((1, 'features'), (2, 'parameters')):
        passes.clear()
        gh_wrapper(model, probe=probe).update_params(total_loss(model, batch))
        assert len(passes) == count


@pytest.mark.parametrize('probe', PROBES)
def test_weights_are_reused_within_an_interval(probe, message_hub):
    """In between, steps are stock steps on the loss with the old weights."""
    options, weights_of = PROBES[probe]
    model = make_model(conflict=True)
    reference = copy.deepcopy(model)
    gh = gh_wrapper(model, interval=3, lr=0.002, **options)
    stock = OptimWrapper(SGD(reference.parameters(), lr=0.002, momentum=0.9))
    seen = []
    for step in range(7):
        batch = make_batch(seed=step)
        if step % 3 == 0:
            weights = weights_of(reference, batch)
            seen.append(weights)
        losses = reference(**batch)
        stock.update_params(sum(weights[k] * losses[k] for k in TASKS))
        gh.update_params(total_loss(model, batch))
        torch.testing.assert_close(
            model.state_dict(), reference.state_dict(), rtol=1e-4, atol=1e-5)
    assert len({weights['loss_cls'].item() for weights in seen}) == 3
    assert len(message_hub.get_scalar('train/angle').data[0]) == len(seen)


def test_interval_counts_steps_and_not_micro_batches(message_hub):
    model = make_model(conflict=True)
    gh = gh_wrapper(model, interval=2, accumulative_counts=2)
    for step in range(8):  # four steps, of which the 1st and 3rd compare
        gh.update_params(total_loss(model, make_batch(seed=step)))
    assert len(message_hub.get_scalar('train/angle').data[0]) == 2


@pytest.mark.parametrize('stop', [3, 4])
def test_reused_weights_survive_a_resume(stop):
    model = make_model(conflict=True)
    gh = gh_wrapper(model, interval=3)
    for step in range(stop):
        gh.update_params(total_loss(model, make_batch(seed=step)))
    twin = copy.deepcopy(model)
    restored = gh_wrapper(twin, interval=3)
    restored.load_state_dict(copy.deepcopy(gh.state_dict()))
    restored.initialize_count_status(twin, stop, 100)
    for step in range(stop, 8):
        for net, wrapper in ((model, gh), (twin, restored)):
            wrapper.update_params(total_loss(net, make_batch(seed=step)))
    torch.testing.assert_close(
        model.state_dict(), twin.state_dict(), rtol=0, atol=0)


def test_checkpoints_pass_between_stock_and_harmonizing_wrappers():
    model = make_model(conflict=True)
    gh = gh_wrapper(model, interval=2)
    stock = OptimWrapper(SGD(model.parameters(), lr=0.05, momentum=0.9))
    gh.update_params(total_loss(model, make_batch()))
    stock.load_state_dict(gh.state_dict())
    momentum = [s['momentum_buffer'] for s in stock.optimizer.state.values()]
    assert len(momentum) == len(list(model.parameters()))
    gh.load_state_dict(stock.state_dict())
    gh.update_params(total_loss(model, make_batch()))


@pytest.mark.parametrize('options, iterations, is_told', [
    (dict(interval=10), 10, True),
    (dict(interval=9), 10, False),
    (dict(interval=10**9), 10, True),
    (dict(interval=5, accumulative_counts=2), 10, True),
    (dict(interval=5, accumulative_counts=2), 11, False),
    (dict(interval=1), 1, False),
])
def test_interval_that_leaves_one_comparison_is_told(
        options, iterations, is_told, message_hub):
    model = make_model(conflict=True)
    gh = gh_wrapper(model, **options)
    told = warnings_of(
        lambda: gh.initialize_count_status(model, 0, iterations))
    assert bool(told) == is_told
    if told:
        assert f'but got {options["interval"]}:' in told[0]
    for _ in range(iterations):
        gh.update_params(total_loss(model, make_batch()))
    compared, _ = message_hub.get_scalar('train/conflict').data
    assert is_told == (len(compared) == 1 < iterations)


def test_after_an_overflow_the_next_step_compares(message_hub):
    """No weights are kept of gradients that are not finite."""
    model = make_model(conflict=True)
    gh = gh_wrapper(model, interval=100, lr=0.)
    batch = make_batch()
    gh.backward(
        map_task_losses(total_loss(model, batch), lambda loss: 1e30 * loss))
    # Older figures would be taken for those of this step.
    assert math.isnan(message_hub.get_scalar('train/angle').current())
    model.zero_grad()
    gh.update_params(total_loss(model, batch))
    assert message_hub.get_scalar('train/conflict').current() == 1


def test_copy_of_a_model_between_forward_and_backward():
    model = make_model(conflict=True)
    losses = model(**make_batch())
    twin = copy.deepcopy(model)
    assert get_shared_features(model.parse_losses(losses)[0]) is not None
    assert get_shared_features(
        twin.parse_losses(twin(**make_batch()))[0]) is not None


def test_features_of_an_earlier_iteration_are_forgotten():
    model = make_model(conflict=True)
    losses = model(**make_batch())
    model.parse_losses(losses)
    total, _ = model.parse_losses(losses)
    assert get_task_losses(total) and get_shared_features(total) is None


@pytest.mark.parametrize('kwargs, message', [
    (dict(probe='gradient'), "`probe`.*'modules' or 'features'.*'gradient'"),
    (dict(probe='modules'), '`shared` should name the modules'),
    (dict(probe='features', shared=['trunk']), '`shared` should be left out'),
    (dict(probe='modules', shared=['trunk'], apply_to='shared'),
     "`apply_to` should be 'loss'"),
    (dict(interval=0), '`interval`.*at least 1.*0'),
    (dict(pairs=[('cls', 'alignment'), ('alignment', 'cls')]),
     '`pairs` should name each pair once'),
    (dict(interval=2, apply_to='shared'), "`interval` should be 1 with.*2"),
    (dict(probe='modules', shared=['trunk', 'neck']), "`shared`.*'neck'"),
])
def test_bad_option_is_refused_before_training(kwargs, message):
    with pytest.raises(ValueError, match=message):
        gh_wrapper(make_model(conflict=True), **kwargs)


def test_frozen_modules_are_refused_before_training():
    model = make_model(conflict=True)
    model.trunk.requires_grad_(False)
    with pytest.raises(ValueError, match=r"`shared`.*\['trunk'\] are frozen"):
        gh_wrapper(model, probe='modules', shared=['trunk'])


@pytest.mark.parametrize('probe', ['parameters', 'modules'])
@pytest.mark.parametrize('is_trained', [False, True])
def test_named_modules_may_be_frozen_or_thawed_later(
        probe, is_trained, message_hub):
    """Compared is what is trained at the step."""
    model, batch = make_model(conflict=True), make_batch()
    frozen_or_not = model.trunk[0].weight
    wholes = [partial(weights_at, lambda model: model.trunk.parameters()),
              partial(weights_at, lambda model: [model.trunk[0].bias])]
    expected = [whole(model, batch)['loss_cls'] for whole in wholes]
    assert abs(expected[0] - expected[1]) > 1e-3
    frozen_or_not.requires_grad_(not is_trained)
    wrapper = gh_wrapper(model, lr=0., probe=probe, shared=['trunk'])
    for trained in (not is_trained, is_trained):
        frozen_or_not.requires_grad_(trained)
        wrapper.update_params(total_loss(model, batch))
        weight = message_hub.get_scalar('train/weight_cls').current()
        assert weight == pytest.approx(expected[not trained].item(), rel=1e-4)


@pytest.mark.parametrize('probe', ['parameters', 'modules'])
def test_named_modules_that_are_all_frozen_later_are_refused(probe):
    model = make_model(conflict=True)
    wrapper = gh_wrapper(model, probe=probe, shared=['trunk'])
    wrapper.update_params(total_loss(model, make_batch()))
    model.trunk.requires_grad_(False)
    with pytest.raises(ValueError, match=r"`shared`.*\['trunk'\] are frozen"):
        wrapper.update_params(total_loss(model, make_batch()))


def test_unmarked_features_are_refused():
    model = make_model(conflict=True)
    losses = model.losses_of_heads(
        model.trunk(make_batch()['inputs']), make_batch()['labels'])
    wrapper = gh_wrapper(model, probe='features')
    with pytest.raises(ValueError, match='UDAClassifier.*`TaskLossMixin'):
        wrapper.update_params(model.parse_losses(losses)[0])


def test_features_without_gradient_are_refused():
    model = make_model(conflict=True)
    model.trunk.requires_grad_(False)
    with pytest.raises(ValueError, match='features should depend on trained'):
        gh_wrapper(
            model, probe='features').update_params(
                total_loss(model, make_batch()))


def losses_with(model, batch, change) -> dict:
    """Losses of the heads, changed where the features are still known."""

    def compute(features, labels):
        losses = model.losses_of_heads(features, labels)
        return {**losses, **change(losses)}

    return model.losses_at(
        model.trunk(batch['inputs']), compute, batch['labels'])


def test_task_beside_the_features_is_refused():
    model = make_model(conflict=True)
    losses = losses_with(
        model, make_batch(),
        lambda losses: dict(loss_cls=model.classifier.weight.sum()))
    with pytest.raises(ValueError, match='task `cls` should depend on the'):
        gh_wrapper(
            model, probe='features').update_params(
                model.parse_losses(losses)[0])


@pytest.mark.parametrize('probe', PROBES)
@pytest.mark.parametrize('apply_to', ['loss', 'shared'])
def test_task_in_no_pair_keeps_its_gradient(probe, apply_to):
    """Here it does not even reach the shared features."""
    if probe == 'modules' and apply_to == 'shared':
        return
    model = make_model(conflict=True)
    model.tasks = dict(model.tasks, loss_reg='reg')
    reference = copy.deepcopy(model)
    for net, with_penalty in ((model, True), (reference, False)):
        penalty = net.classifier.weight.sum() * with_penalty
        losses = losses_with(
            net, make_batch(), lambda losses, penalty=penalty: dict(
                loss_reg=penalty))
        gh_wrapper(
            net,
            apply_to=apply_to,
            pairs=[('alignment', 'cls')],
            **PROBES[probe][0]).backward(net.parse_losses(losses)[0])
    for (name, grad), other in zip(
            grads(model).items(), grads(reference).values()):
        penalty = 1. if name == 'classifier.weight' else 0.
        torch.testing.assert_close(grad, other + penalty)


@pytest.mark.parametrize('names', [['loss_alignment'], ['loss_cls']])
def test_losses_changed_after_the_features_are_refused(names):
    """The weights would be those of losses that are not trained on."""
    model = make_model(conflict=True)
    losses = model(**make_batch())
    for name in names:
        losses[name] = 0.1 * losses[name]
    with pytest.raises(ValueError, match=f'`{names[0][5:]}`.*as it is.*call'):
        gh_wrapper(
            model, probe='features').update_params(
                model.parse_losses(losses)[0])


def test_loss_of_a_second_call_is_refused():
    model = make_model(conflict=True)
    first, second = (model(**make_batch(seed=seed)) for seed in (0, 1))
    losses = dict(
        loss_alignment=first['loss_alignment'], loss_cls=second['loss_cls'])
    with pytest.raises(ValueError, match='task `alignment`.*one call'):
        gh_wrapper(
            model, probe='features').update_params(
                model.parse_losses(losses)[0])


@pytest.mark.parametrize('probe', ['parameters', 'modules'])
def test_modules_that_one_task_does_not_reach_are_refused(probe):
    """They would never show a conflict."""
    model = make_model(conflict=True)
    wrapper = gh_wrapper(model, probe=probe, shared=['classifier'])
    with pytest.raises(ValueError, match=r"`shared`.*all depend.*classifier"):
        wrapper.update_params(total_loss(model, make_batch()))


@pytest.mark.parametrize('probe', ['parameters', 'modules'])
def test_named_modules_have_to_be_looked_up(probe):
    model = make_model(conflict=True)
    wrapper = GHOptimWrapper(
        optimizer=SGD(model.parameters(), lr=0.1),
        harmonizer=dict(type='mmgh.GH'),
        probe=probe,
        shared=['trunk'])
    with pytest.raises(RuntimeError, match='`initialize_count_status` should'):
        wrapper.update_params(total_loss(model, make_batch()))


def test_gradients_of_features_are_changed_in_one_backward_pass_only():
    model, batch = make_model(conflict=True), make_batch()
    loss = total_loss(model, batch)
    gh_wrapper(
        model, probe='features', apply_to='shared').backward(
            loss, retain_graph=True)
    model.zero_grad()
    loss.backward()
    later = grads(model)
    model.zero_grad(set_to_none=True)
    total_loss(model, batch).backward()
    torch.testing.assert_close(later, grads(model))


def test_static_graph_is_refused_for_parameters():
    model = make_model(conflict=True)
    model.static_graph = True  # as torch's model wrapper has it
    for probe in ('features', 'modules'):
        gh_wrapper(model, **PROBES[probe][0])
    with pytest.raises(ValueError, match='`static_graph`.*False.*True'):
        gh_wrapper(model)


def without_cls(model) -> torch.Tensor:
    """The total of a step in which a loss is a constant."""
    losses = model(**make_batch())
    losses['loss_cls'] = losses['loss_cls'].detach()
    return model.parse_losses(losses)[0]


@pytest.mark.parametrize('probe', PROBES)
def test_step_without_a_loss_is_of_the_others_and_told_once(probe):
    model = make_model(conflict=True)
    wrapper = gh_wrapper(model, **PROBES[probe][0])
    wrapper.update_params(total_loss(model, make_batch()))
    reference = copy.deepcopy(model)
    reference(**make_batch())['loss_alignment'].backward()

    def step():
        wrapper.zero_grad()
        wrapper.backward(without_cls(model))

    told = warnings_of(lambda: [step(), step()])
    assert len(told) == 1 and 'task `cls` has no gradient in this' in told[0]
    found = {name: grad for name, grad in grads(model).items()
             if grad is not None}
    expected = {name: grad for name, grad in grads(reference).items()
                if grad is not None}
    torch.testing.assert_close(found, expected)


def test_step_without_a_loss_leaves_memories_alone():
    model = make_model(conflict=True)
    wrapper = gh_wrapper(model, harmonizer=dict(type='mmgh.RelativeClip'))
    wrapper.update_params(total_loss(model, make_batch()))
    before = copy.deepcopy(wrapper._weighting.state_dict())
    wrapper.update_params(without_cls(model))
    assert str(wrapper._weighting.state_dict()) == str(before)


def test_part_of_an_accumulation_may_lack_a_loss():
    """What the other part gave is harmonized with it."""
    model = make_model(conflict=True)
    wrapper = gh_wrapper(model, lr=1., accumulative_counts=2)
    trunk = list(model.trunk.parameters())
    rows = [
        torch.cat([grad.flatten() for grad in torch.autograd.grad(
            model(**make_batch())[name], trunk)]) for name in TASKS
    ]
    rows[1] = rows[1] / 2  # the other is there twice
    weights = weights_from(rows)
    expected = sum(weight * row for weight, row in zip(weights.values(), rows))
    before = torch.cat([p.detach().flatten() for p in trunk])
    wrapper.update_params(total_loss(model, make_batch()))
    wrapper.update_params(without_cls(model))
    after = torch.cat([p.detach().flatten() for p in trunk])
    assert max(weights.values()) > 1.05
    torch.testing.assert_close(before - after, expected)


def test_first_loss_without_gradient_is_refused():
    model = make_model(conflict=True)
    with pytest.raises(ValueError, match='task `cls`.*has no gradient'):
        gh_wrapper(model).update_params(without_cls(model))


def test_harmonizer_may_compute_in_place(message_hub):
    def in_place(gramian):
        return gramian.fill_(0.).diagonal() + 1

    model = make_model(conflict=True)
    gh_wrapper(model, harmonizer=in_place).update_params(
        total_loss(model, make_batch()))
    assert message_hub.get_scalar('train/conflict').current() == 1
    assert message_hub.get_scalar('train/grad_norm_cls').current() > 0


@pytest.mark.parametrize('is_old', [False, True])
def test_accumulated_gradients_of_a_partly_frozen_model_go_on(is_old):
    """Earlier checkpoints did not number what was frozen."""

    def make():
        model = make_model(conflict=True)
        model.trunk[0].weight.requires_grad = False
        return model, gh_wrapper(model, accumulative_counts=2)

    batches = make_batch(), make_batch(seed=1)
    model, wrapper = make()
    wrapper.update_params(total_loss(model, batches[0]))
    state = copy.deepcopy(wrapper.state_dict())
    wrapper.update_params(total_loss(model, batches[1]))
    if is_old:
        kept = state['harmonization']
        del kept['frozen_count']
        kept['accumulated'] = {
            task: {number - 1: grad for number, grad in gradient.items()}
            for task, gradient in kept['accumulated'].items()
        }
    other, resumed = make()
    resumed.load_state_dict(state)
    resumed.initialize_count_status(other, 1, 100)
    resumed.update_params(total_loss(other, batches[1]))
    torch.testing.assert_close(other.state_dict(), model.state_dict(),
                               rtol=0, atol=0)
