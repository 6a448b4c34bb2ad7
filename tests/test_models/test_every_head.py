"""What every UDA head promises, whatever its method is."""
from __future__ import annotations

import copy
import pickle

import pytest
import torch
from torch import Tensor

from mmgh.models import SegUDAHead, UDAHead
from ..registered_classes import registered
from .every_head import (DOMAINS, HEADS, IN_CHANNELS, NUM_CLASSES, Entry,
                         counters, output_of)

every_head = pytest.mark.parametrize('entry', HEADS, ids=repr)
NAMES = sorted({entry.name for entry in HEADS})


def losses_of(head, *outputs) -> dict[str, Tensor]:
    return {k: v for k, v in head.loss(*outputs).items() if 'loss' in k}


def total_of(head, *outputs) -> Tensor:
    return sum(losses_of(head, *outputs).values())


def assert_finite(head, outputs) -> None:
    """What it returns, and the gradients on all that it reaches."""
    results = head.loss(*outputs)
    for value in results.values():
        assert torch.as_tensor(value).isfinite()
    sum(value for name, value in results.items() if 'loss' in name).backward()
    leaves = [tensor for output in outputs for tensor in output[:2]
              if tensor.is_leaf]
    for tensor in (*leaves, *head.parameters(),
                   *outputs[0].head.parameters()):
        assert tensor.grad is None or tensor.grad.isfinite().all()


def test_every_head_is_in_the_list():
    for head in registered('MODELS', UDAHead):
        if issubclass(head, SegUDAHead):  # sees maps; its own tests
            continue
        assert head.__name__ in NAMES, (
            f'Add `Entry({head.__name__!r}),` to the list `HEADS` in '
            'tests/test_models/every_head.py.')


@every_head
def test_losses_are_scalars_of_a_task_and_the_rest_is_for_the_log(entry):
    head = entry.build()
    results = head.loss(*entry.outputs(4, 4))
    losses = {name for name in results if 'loss' in name}
    assert losses and losses <= set(head.tasks)
    for name, value in results.items():
        value = torch.as_tensor(value)
        assert value.dim() == 0 and value.isfinite()
        if name in losses:
            assert name.startswith('loss_')
        else:
            assert not value.requires_grad


@pytest.mark.parametrize('name', NAMES)
def test_each_loss_that_has_a_task_occurs(name):
    """If not by default, then in an entry with other options."""
    named, seen = set(), set()
    for entry in HEADS:
        if entry.name == name:
            head = entry.build()
            named |= set(head.tasks)
            seen |= set(losses_of(head, *entry.outputs(4, 4)))
    assert seen == named


RANDOM = torch.Generator().manual_seed(0)
FEATURES = torch.randn(2, 4, IN_CHANNELS, generator=RANDOM)
LOGITS = torch.randn(2, 4, NUM_CLASSES, generator=RANDOM)
# Features and class scores, for each domain.
DEGENERATE = {
    'identical features': (torch.ones_like(FEATURES), LOGITS),
    'all alike': (torch.ones_like(FEATURES), torch.zeros_like(LOGITS)),
    'zero features': (torch.zeros_like(FEATURES), LOGITS),
    'all zero': (torch.zeros_like(FEATURES), torch.zeros_like(LOGITS)),
    'large features': (1e6 * FEATURES, LOGITS),
    'tiny features': (1e-20 * FEATURES, LOGITS),
    'almost identical features': (1 + 1e-6 * FEATURES,
                                  torch.ones_like(LOGITS)),
    'domains far apart': (FEATURES + torch.tensor([0., 1e6])[:, None, None],
                          LOGITS),
    'equal singular values': (torch.eye(4, IN_CHANNELS).repeat(2, 1, 1),
                              LOGITS),
    'one class': (FEATURES, torch.tensor([5., 0., 0.]).expand(2, 4, 3)),
    'certain of one class': (FEATURES, torch.tensor([1e4, 0., -1e4]).expand(
        2, 4, 3)),
    'certain': (FEATURES, 1e4 * LOGITS),
}


@every_head
@pytest.mark.parametrize('case', DEGENERATE)
def test_degenerate_batches_are_finite(entry, case):
    head, classifier = entry.build(), entry.classifier()
    for _ in range(3):  # some have a memory
        outputs = [
            output_of(classifier, features, domain, logits)
            for features, logits, domain in zip(*DEGENERATE[case], DOMAINS)
        ]
        outputs[0] = outputs[0]._replace(
            labels=torch.zeros(4, dtype=torch.long))
        assert_finite(head, outputs)


@every_head
@pytest.mark.parametrize('sizes', [(1, 1), (2, 2), (7, 7), (2, 7), (5, 1)],
                         ids=str)
@pytest.mark.parametrize('scale', [0., 1., 1e4])
def test_batches_of_any_size_are_finite_or_refused(entry, sizes, scale):
    head, outputs = entry.build(), entry.outputs(*sizes, scale=scale)
    is_paired = len(set(sizes)) == 1 or not entry.pairs_samples
    if is_paired and min(sizes) >= entry.min_samples:
        assert_finite(head, outputs)
    else:
        with pytest.raises(ValueError, match='{} and {}'.format(*sizes)):
            head.loss(*outputs)


@every_head
def test_gradient_reaches_the_target_and_all_that_the_head_trains(entry):
    head, outputs = entry.build(), entry.outputs(8, 8)
    total_of(head, *outputs).backward()
    assert outputs[1].features.grad.any()
    for name, parameter in head.named_parameters():
        assert parameter.grad is not None, name


@every_head
def test_batch_is_not_changed(entry):
    outputs = entry.outputs(4, 4)
    tensors = [tensor for output in outputs
               for tensor in (*output[:2], output.labels)
               if tensor is not None]
    before = copy.deepcopy([tensor.detach() for tensor in tensors])
    total_of(entry.build(), *outputs).backward()
    assert all(map(torch.equal, tensors, before))


@every_head
def test_labels_of_the_target_are_not_looked_at(entry):
    head = entry.build().eval()
    source, target = entry.outputs(6, 6)
    losses = losses_of(head, source, target)
    for labels in (torch.zeros(6), torch.arange(6) % NUM_CLASSES):
        labelled = target._replace(labels=labels.long())
        assert losses_of(head, source, labelled) == losses


@every_head
@pytest.mark.parametrize('one_hot, kind', [
    (True, torch.float), (True, torch.double), (True, torch.long),
    (False, torch.int), (False, torch.uint8)], ids=str)
def test_labels_may_be_numbers_or_scores_of_any_type(entry, one_hot, kind):
    head = entry.build().eval()
    source, target = entry.outputs(6, 6)
    labels = source.labels
    if one_hot:
        labels = torch.eye(NUM_CLASSES)[labels]
    other = source._replace(labels=labels.to(kind))
    torch.testing.assert_close(
        losses_of(head, other, target), losses_of(head, source, target))
    assert_finite(head.train(), [other, target])


@every_head
def test_scores_of_mixed_images_mix_the_losses(entry):
    """Each loss is linear in them."""
    head = entry.build().eval()
    source, target = entry.outputs(6, 6)
    first = torch.eye(NUM_CLASSES)[source.labels]
    second = torch.eye(NUM_CLASSES)[(source.labels + 1) % NUM_CLASSES]
    a, b, mixed = (
        losses_of(head, source._replace(labels=labels), target)
        for labels in (first, second, .3 * first + .7 * second))
    torch.testing.assert_close(
        mixed, {name: .3 * a[name] + .7 * b[name] for name in a})


@pytest.mark.parametrize(
    'entry', [entry for entry in HEADS if not entry.pairs_samples], ids=repr)
def test_order_of_the_images_does_not_matter(entry):
    head, outputs = entry.build().eval(), entry.outputs(6, 6)
    orders = torch.tensor([[3, 1, 5, 0, 4, 2], [2, 4, 0, 1, 3, 5]])
    shuffled = [
        output_of(output.head, output.features.detach()[order], domain)
        for output, order, domain in zip(outputs, orders, DOMAINS)
    ]
    shuffled[0] = shuffled[0]._replace(labels=outputs[0].labels[orders[0]])
    torch.testing.assert_close(
        losses_of(head, *shuffled),
        losses_of(head, *outputs),
        rtol=1e-4,
        atol=1e-5)


@every_head
@pytest.mark.parametrize('factor', [0, 3])
def test_loss_weight_is_a_factor(entry, factor):
    """Of one loss at least; others may have a factor of their own."""
    single, other = entry.build(loss_weight=1), entry.build(loss_weight=factor)
    other.load_state_dict(single.state_dict())
    outputs = entry.outputs(6, 6)
    before, after = (losses_of(head, *outputs) for head in (single, other))
    scaled = [
        name for name in before if before[name] and torch.allclose(
            after[name], factor * before[name], rtol=1e-5)
    ]
    assert scaled
    for name in before.keys() - scaled:
        assert torch.equal(before[name], after[name])


@every_head
@pytest.mark.parametrize('training', [True, False])
def test_training_iterations_alone_are_counted_once(entry, training):
    head = entry.build(iteration=0).train(training)
    for _ in range(2):
        head.loss(*entry.outputs(4, 4))
    assert all(count == 2 * training for count in counters(head))


@every_head
def test_evaluation_changes_no_state(entry):
    head = entry.build().eval()
    before = copy.deepcopy(head.state_dict())
    head.loss(*entry.outputs(4, 4))
    torch.testing.assert_close(head.state_dict(), before, rtol=0, atol=0)


def reloaded(entry: Entry, head: UDAHead) -> UDAHead:
    other = entry.build(iteration=0)
    other.load_state_dict(head.state_dict())
    return other


@every_head
@pytest.mark.parametrize('copied', [
    reloaded,
    lambda entry, head: copy.deepcopy(head),
    lambda entry, head: pickle.loads(pickle.dumps(head)),
], ids=['state_dict', 'deepcopy', 'pickle'])
def test_copy_goes_on_where_the_head_is(entry, copied):
    head = entry.build(iteration=170)
    head.loss(*entry.outputs(6, 6))
    other = copied(entry, head)
    for _ in range(2):
        outputs = entry.outputs(6, 6)
        first, second = (
            torch.autograd.grad(
                total_of(one, *outputs), outputs[1].features,
                retain_graph=True)[0] for one in (head, other))
        assert torch.equal(first, second)
    torch.testing.assert_close(
        other.state_dict(), head.state_dict(), rtol=0, atol=0)


@every_head
def test_mixed_precision_is_close_to_the_single_one(entry):
    head, outputs = entry.build().eval(), entry.outputs(8, 8)
    exact = losses_of(head, *outputs)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        half = [
            output_of(output.head, output.features.detach().bfloat16(), domain)
            for output, domain in zip(outputs, DOMAINS)
        ]
        found = losses_of(head, *half)
    sum(found.values()).backward()
    for name, value in found.items():
        torch.testing.assert_close(
            value.float(), exact[name], rtol=0.05, atol=0.02)
    assert half[1].features.grad.isfinite().all()


@every_head
def test_negative_loss_weight_is_refused(entry):
    with pytest.raises(ValueError, match='`loss_weight`.*at least 0.*-1'):
        entry.build(loss_weight=-1)


@every_head
def test_misspelt_option_is_refused(entry):
    with pytest.raises(TypeError, match='los_weight'):
        entry.build(los_weight=1)


@every_head
def test_config_is_not_changed(entry):
    before = copy.deepcopy(entry.config)
    entry.build()
    assert entry.config == before
