"""DWLHead: alignment and discrepancies, dynamically weighted."""
from __future__ import annotations

import copy
import math
from itertools import combinations

import pytest
import torch
import torch.nn.functional as F
from mmengine.optim import OptimWrapper
from mmpretrain.models import LinearClsHead
from mmpretrain.registry import MODELS
from torch.optim import SGD

from mmgh.models import DomainOutput, DWLHead
from mmgh.models.layers import DynamicWeight
from mmgh.optim import GHOptimWrapper
from mmgh.task_losses import attach_task_losses, get_task_losses
from .published_weights import harmonized_weights
from .test_uda_classifier import losses_of, make_batch, model_config

PAIRS = [('alignment', 'discrepancy')]


def make_head(iteration=3000, weight=0.3, **kwargs) -> DWLHead:
    head = DWLHead(
        6, 3, discriminator=dict(hidden_channels=5, dropout=0.), **kwargs)
    for part in (head.alignment, *head.classifiers):
        part.reversal.iteration.fill_(iteration)
    head.dynamic_weight.value.fill_(weight)
    return head


def make_output(first, size: int, labels=None, scale=1.) -> DomainOutput:
    """What the classification head ``first`` says of random features."""
    features = (scale * torch.randn(size, 6)).requires_grad_()
    return output_of(first, features, labels)


def output_of(first, features, labels=None) -> DomainOutput:
    return DomainOutput(features, first((features, )), first, (features, ),
                        labels)


def make_pair(size=8, scale=1.) -> tuple[DomainOutput, DomainOutput]:
    first = LinearClsHead(3, 6)
    torch.nn.init.normal_(first.fc.weight)
    labels = torch.arange(size) % 3
    return (make_output(first, size, labels, scale),
            make_output(first, size, scale=scale))


def softmax(logits) -> list[float]:
    exponentials = [math.exp(v) for v in logits.tolist()]
    return [v / sum(exponentials) for v in exponentials]


def test_losses_equal_a_plain_loop():
    head = make_head(loss_weight=0.7, discrepancy_weight=2.)
    source, target = make_pair(5)
    losses = head.loss(source, target)

    bce = 0.
    for output, label in ((source, 1), (target, 0)):
        for features in output.features:
            d = torch.sigmoid(
                head.alignment.discriminator(features[None])).item()
            bce -= math.log(d if label else 1 - d) / 5
    assert losses['loss_domain'].item() == pytest.approx(
        0.3 * 0.7 * bce / 2, rel=1e-5)

    classifiers = [target.head.fc] + [c.classifier for c in head.classifiers]
    differences = 0.
    for features in target.features:
        for p, q in combinations([softmax(c(features)) for c in classifiers],
                                 2):
            differences += sum(abs(a - b) for a, b in zip(p, q))
    assert losses['loss_discrepancy'].item() == pytest.approx(
        -0.7 * 2 * differences / 15, rel=1e-5)

    for name, classifier in zip(('loss_cls2', 'loss_cls3'), classifiers[1:]):
        expected = -sum(
            math.log(softmax(classifier(features))[label])
            for features, label in zip(source.features, source.labels))
        assert losses[name].item() == pytest.approx(expected / 5, rel=1e-5)


@pytest.mark.parametrize('name, parts', [
    ('loss_domain', ['alignment']),
    ('loss_discrepancy', ['classifiers', 'first']),
])
def test_features_ascend_and_the_adversaries_descend(name, parts):
    """The step of each goes where the loss says, checked by taking it."""
    head = make_head().eval()
    source, target = make_pair()
    modules = dict(
        alignment=head.alignment,
        classifiers=head.classifiers,
        first=source.head)
    loss = head.loss(source, target)[name]
    loss.backward()

    def loss_after(features_step=0., **steps):
        first = source.head
        outputs = []
        with torch.no_grad():
            for part, step in steps.items():
                for p in modules[part].parameters():
                    p.sub_(step * p.grad)
            for output in (source, target):
                grad = output.features.grad
                moved = output.features - features_step * (
                    0 if grad is None else grad)
                outputs.append(output_of(first, moved, output.labels))
            value = head.loss(*outputs)[name].item()
            for part, step in steps.items():
                for p in modules[part].parameters():
                    p.add_(step * p.grad)
        return value

    assert loss_after(features_step=0.1) > loss.item()
    for part in parts:
        assert loss_after(**{part: 0.01}) < loss.item()


@pytest.mark.parametrize('iteration', [100, 3000])
def test_all_discrepancies_reach_the_features_reversed_and_scaled(iteration):
    """Each two of the classifiers; these get the plain gradient."""
    head = make_head(iteration, weight=0.3, discrepancy_weight=2.)
    source, target = make_pair()
    head.loss(source, target)['loss_discrepancy'].backward()
    layers = [target.head.fc] + [c.classifier for c in head.classifiers]
    weights = [layer.weight for layer in layers]
    found = [target.features.grad, *(weight.grad for weight in weights)]

    predictions = [layer(target.features).softmax(1) for layer in layers]
    loss = -0.7 * 2 * sum(
        (p - q).abs().mean() for p, q in combinations(predictions, 2))
    on_features, *expected = torch.autograd.grad(
        loss, [target.features, *weights])
    coefficient = math.tanh(iteration / 2000)
    torch.testing.assert_close(found,
                               [-coefficient * on_features, *expected])


def test_losses_follow_the_dynamic_weight_over_the_epochs():
    head = make_head(epoch_iters=2, weight=0.5)
    expected = DynamicWeight(6, 3, epoch_iters=2)
    values = []
    for i in range(8):
        source, target = make_pair(scale=1 / (1 + i))  # domains get closer
        whole = copy.deepcopy(head).eval()
        losses = head.loss(source, target)
        value = expected.value.item()
        values.append(value)
        assert losses['dynamic_weight'] == pytest.approx(value)
        for name, factor in dict(
                loss_domain=value, loss_discrepancy=1 - value).items():
            whole.dynamic_weight.value.fill_(name == 'loss_domain')
            torch.testing.assert_close(
                losses[name], factor * whole.loss(source, target)[name])
        expected.add((source.features, source.labels),
                     (target.features, target.logits.argmax(dim=1)))
    assert values[0] == 0.5 != values[-1]


@pytest.mark.parametrize('weight, zero', [(0., 'loss_domain'),
                                          (1., 'loss_discrepancy')])
def test_dynamic_weight_goes_from_one_loss_to_the_other(weight, zero):
    losses = make_head(weight=weight).loss(*make_pair())
    assert losses['dynamic_weight'] == weight
    assert [n for n in ('loss_domain', 'loss_discrepancy')
            if losses[n] == 0] == [zero]


def test_statistics_are_of_the_features_and_the_predicted_classes():
    head = make_head(epoch_iters=3)
    source, target = make_pair()
    head.loss(source, target)
    for output, labels, statistics in (
            (source, source.labels, head.dynamic_weight.source),
            (target, target.logits.argmax(1), head.dynamic_weight.target)):
        torch.testing.assert_close(statistics.mean,
                                   output.features.detach().mean(0))
        counts = torch.bincount(labels, minlength=3)
        assert statistics.counts.tolist() == counts.tolist()


def test_mixed_images_count_with_their_first_class():
    source, target = make_pair()
    hard, soft = make_head(epoch_iters=3), make_head(epoch_iters=3)
    hard.loss(source, target)
    scores = 0.4 + 0.2 * torch.eye(3)[source.labels]
    soft.loss(source._replace(labels=scores / scores.sum(1)[:, None]), target)
    torch.testing.assert_close(soft.dynamic_weight.state_dict(),
                               hard.dynamic_weight.state_dict())


def test_weight_is_updated_before_the_backward_pass_without_harm():
    head = make_head(epoch_iters=1, weight=0.)
    losses = head.loss(*make_pair())
    assert head.dynamic_weight.value != 0
    assert losses['dynamic_weight'] == 0
    sum(v for k, v in losses.items() if 'loss' in k).backward()


@pytest.mark.parametrize('training, expected', [(True, 2), (False, 0)])
def test_counts_training_iterations_only(training, expected):
    head = make_head(iteration=0).train(training)
    for _ in range(2):
        head.loss(*make_pair())
    assert head.dynamic_weight.iteration == expected


@pytest.mark.parametrize('logit', [1e3, -1e3])
def test_perfect_or_fooled_discriminator_is_finite(logit):
    head = make_head()
    last = head.alignment.discriminator.layers[-1]
    torch.nn.init.zeros_(last.weight)
    torch.nn.init.constant_(last.bias, logit)
    source, target = make_pair()
    loss = head.loss(source, target)['loss_domain']
    loss.backward()
    assert loss.isfinite() and source.features.grad.isfinite().all()


@pytest.mark.parametrize('kwargs, message', [
    (dict(epoch_iters=0), '`epoch_iters`.*at least 1.*0'),
    (dict(discrepancy_weight=-1), '`discrepancy_weight`.*at least 0.*-1'),
])
def test_bad_options_are_refused(kwargs, message):
    with pytest.raises(ValueError, match=message):
        DWLHead(6, 3, **kwargs)


def make_model(**kwargs):
    torch.manual_seed(0)
    model = MODELS.build(
        model_config(
            uda_head=dict(
                type='mmgh.DWLHead',
                discriminator=dict(hidden_channels=8, dropout=0.),
                reversal=dict(warmup_iters=10),
                **kwargs)))
    return model


def test_tasks_are_alignment_discrepancy_and_cls():
    model = make_model()
    total, log = model.parse_losses(losses_of(model, make_batch()))
    tasks = get_task_losses(total)
    assert list(tasks) == ['alignment', 'discrepancy', 'cls']
    torch.testing.assert_close(
        tasks['cls'], log['loss_cls'] + log['loss_cls2'] + log['loss_cls3'])
    torch.testing.assert_close(sum(tasks.values()), log['loss'])


@pytest.mark.parametrize('wrapper', [
    dict(type=OptimWrapper),
    dict(type=GHOptimWrapper, probe='parameters'),
    dict(type=GHOptimWrapper, probe='features'),
])
def test_trains_and_resumes_exactly(wrapper):
    """Five steps equal three steps, a checkpoint, and two steps."""
    wrapper_type = wrapper['type']
    options = {k: v for k, v in wrapper.items() if k != 'type'}
    if wrapper_type is GHOptimWrapper:
        options.update(harmonizer=dict(type='mmgh.GH'), pairs=PAIRS)

    def train(model, steps):
        optim_wrapper = wrapper_type(
            optimizer=SGD(model.parameters(), lr=0.05), **options)
        for _ in range(steps):
            log = model.train_step(make_batch(), optim_wrapper)
            assert all(torch.as_tensor(v).isfinite() for v in log.values())

    model = make_model(epoch_iters=2)
    start = copy.deepcopy(model.state_dict())
    train(model, 5)
    stopped = make_model(epoch_iters=2)
    train(stopped, 3)
    resumed = make_model(epoch_iters=2)
    resumed.load_state_dict(stopped.state_dict())
    train(resumed, 2)
    torch.testing.assert_close(
        resumed.state_dict(), model.state_dict(), rtol=0, atol=0)
    assert not torch.equal(start['head.fc.weight'], model.head.fc.weight)
    assert model.uda_head.dynamic_weight.max_distance > 0


def reference_step(model, batch, optimizer, form: str) -> tuple:
    """As the published code weighs: the gradients of both losses are
    harmonized on the features without T, which weighs them afterwards. The
    reversal is written out, one loss for each side; returns the weights."""
    source, target = ((batch[domain]['inputs'].double() - 10) / 2
                      for domain in ('source', 'target'))
    labels = torch.cat([s.gt_label for s in batch['source']['data_samples']])
    head = model.uda_head
    share = head.dynamic_weight.value.item()
    discriminator = head.alignment.discriminator.layers
    layers = [model.head.fc, *(c.classifier for c in head.classifiers)]
    z_source, = model.extract_feat(source)
    z_target, = model.extract_feat(target)
    scores = [discriminator(z)[:, 0] for z in (z_source, z_target)]
    domain = (F.softplus(-scores[0]).mean() + F.softplus(scores[1]).mean()) / 2
    predictions = [layer(z_target).softmax(1) for layer in layers]
    discrepancy = sum(
        (p - q).abs().mean() for p, q in combinations(predictions, 2))
    cls = sum(F.cross_entropy(layer(z_source), labels) for layer in layers)

    trunk = list(model.backbone.parameters())
    aligned, separated = -domain, discrepancy
    weights = harmonized_weights(form, aligned, separated, trunk)
    of_trunk = (
        cls + weights[0] * share * aligned + weights[1] *
        (1 - share) * separated)
    of_others = cls + share * domain - (1 - share) * discrepancy
    others = [*discriminator.parameters(), *(
        p for layer in layers for p in layer.parameters())]
    for loss, parameters in ((of_trunk, trunk), (of_others, others)):
        for parameter, grad in zip(
                parameters,
                torch.autograd.grad(loss, parameters, retain_graph=True)):
            parameter.grad = grad
    optimizer.step()
    return weights


@pytest.mark.parametrize('share', [0.1, 0.5, 0.9])
@pytest.mark.parametrize('form', ['GH', 'GHPlusPlus'])
def test_weighs_after_harmonization_as_the_published_code(
        form, share, message_hub):
    """In float64, over some steps, on all parameters."""
    model = make_model(weigh_after=True).double()
    model.uda_head.dynamic_weight.value.fill_(share)
    for part in (model.uda_head.alignment, *model.uda_head.classifiers):
        part.reversal.iteration.fill_(1000)  # the warm-up is over
    twin = copy.deepcopy(model)
    options = dict(lr=0.05, momentum=0.9)
    harmonizer = dict(
        GH=dict(type='mmgh.GH'),
        GHPlusPlus=dict(type='mmgh.GHPlusPlus', form='published'))[form]
    wrapper = GHOptimWrapper(
        harmonizer,
        shared=['backbone'],
        apply_to='shared',
        max_weight=math.inf,
        optimizer=SGD(model.parameters(), **options))
    wrapper.initialize_count_status(model, 0, 4)
    optimizer = SGD(twin.parameters(), **options)
    weights = []
    for _ in range(4):
        batch = make_batch(8, 4)  # whose inverses are exact
        expected = reference_step(twin, batch, optimizer, form)
        model.train_step(batch, wrapper)
        found = [
            message_hub.get_scalar(f'train/weight_{task}').current()
            for task in ('alignment', 'discrepancy')
        ]
        assert found == pytest.approx(expected, rel=1e-6)
        weights.append(expected)
    for name, parameter in twin.named_parameters():
        torch.testing.assert_close(
            dict(model.named_parameters())[name],
            parameter,
            rtol=1e-9,
            atol=1e-12)
    assert max(max(pair) for pair in weights) > 1.01  # there was a conflict


@pytest.mark.parametrize('share, after, before', [
    (0.1, (0.158, 1.349), (0.618, 0.950)),
    (0.9, (1.418, 0.150), (0.958, 0.549)),
])
def test_factors_of_a_worked_example(share, after, before, message_hub):
    """Of one pair of gradients; ``after`` are those of the published code."""
    first = torch.tensor([1., 0.], dtype=torch.float64)
    second = 1.07409 * torch.tensor([-0.53585, 0.84431], dtype=torch.float64)
    factors = {'alignment': share, 'discrepancy': 1 - share}
    for seen, expected in ((factors, after), ({}, before)):
        x = torch.zeros(2, dtype=torch.float64, requires_grad=True)
        losses = {
            task: factors[task] * (gradient @ x)
            for task, gradient in zip(factors, (first, second))
        }
        total = attach_task_losses(
            sum(losses.values()), losses, factors=seen)
        GHOptimWrapper(
            dict(type='mmgh.GH'),
            max_weight=math.inf,
            optimizer=SGD([x], lr=1.)).update_params(total)
        found = torch.linalg.solve(torch.stack([first, second]).T, -x.data)
        torch.testing.assert_close(
            found, found.new_tensor(expected), rtol=0, atol=6e-4)


def test_option_makes_no_difference_to_published_ghpp_or_without_harmonizer():
    """By its angle alone, and by the losses, which are the same."""
    for harmonizer in (dict(type='mmgh.GHPlusPlus', form='published'), None):
        states = []
        for weigh_after in (True, False):
            model = make_model(weigh_after=weigh_after).double()
            model.uda_head.alignment.reversal.iteration.fill_(10)
            optimizer = SGD(model.parameters(), lr=0.05)
            wrapper = (
                OptimWrapper(optimizer) if harmonizer is None else
                GHOptimWrapper(harmonizer, optimizer=optimizer))
            model.train_step(make_batch(), wrapper)
            states.append(model.state_dict())
        torch.testing.assert_close(*states)
