"""DWLHead: alignment and discrepancies, dynamically weighted."""
from __future__ import annotations

import copy
import math
from itertools import combinations

import pytest
import torch
from mmengine.optim import OptimWrapper
from mmpretrain.models import LinearClsHead
from mmpretrain.registry import MODELS
from torch.optim import SGD

from mmgh.models import DomainOutput, DWLHead
from mmgh.models.layers import DynamicWeight
from mmgh.optim import GHOptimWrapper
from mmgh.task_losses import get_task_losses
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
