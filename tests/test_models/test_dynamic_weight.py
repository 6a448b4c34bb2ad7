"""Streaming statistics against all features at once, and what they weigh."""
from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, distributed

from mmgh.models import ClassStatistics, DynamicWeight
from ..processes import on_two_ranks

CHANNELS, CLASSES = 4, 3


def make_features(size: int, seed: int, offset: float = 0.):
    """Features around one centre per class, and their classes."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(CLASSES, (size, ), generator=generator)
    noise = torch.randn(size, CHANNELS, generator=generator)
    return noise + labels[:, None] + offset, labels


def plain_mean(features: Tensor) -> np.ndarray:
    return features.double().numpy().mean(axis=0)


def plain_discriminability(features: Tensor, labels: Tensor) -> float:
    """Traces of the scatter matrices, which are built as such."""
    x, y = features.double().numpy(), labels.numpy()
    between = np.zeros((CHANNELS, CHANNELS))
    within = np.zeros((CHANNELS, CHANNELS))
    for c in set(y.tolist()):
        of_class = x[y == c]
        centre = of_class.mean(axis=0)
        shift = centre - x.mean(axis=0)
        between += len(of_class) * np.outer(shift, shift)
        within += sum(np.outer(v - centre, v - centre) for v in of_class)
    return np.trace(between) / np.trace(within)


def filled(features: Tensor, labels: Tensor, sizes) -> ClassStatistics:
    statistics = ClassStatistics(CHANNELS, CLASSES)
    for batch in zip(features.split(sizes), labels.split(sizes)):
        statistics.add(*batch)
    return statistics


@pytest.mark.parametrize('sizes', [[20], [7, 6, 4, 3], [1] * 20])
@pytest.mark.parametrize('offset', [0., 1e3])
def test_batches_give_the_statistics_of_all_features(sizes, offset):
    features, labels = make_features(20, seed=0, offset=offset)
    statistics = filled(features, labels, sizes)
    assert statistics.mean.numpy() == pytest.approx(
        plain_mean(features), rel=1e-6)
    assert statistics.discriminability.item() == pytest.approx(
        plain_discriminability(features, labels), rel=1e-3)
    assert statistics.counts.tolist() == torch.bincount(labels).tolist()


def test_classes_that_do_not_occur_do_not_count():
    features, labels = make_features(20, seed=1)
    labels[labels == 1] = 2
    statistics = filled(features, labels, [12, 8])
    assert statistics.discriminability.item() == pytest.approx(
        plain_discriminability(features, labels), rel=1e-5)


@pytest.mark.parametrize('features, labels, expected', [
    (torch.randn(6, CHANNELS), torch.zeros(6).long(), 0),  # one class
    (torch.ones(6, CHANNELS), torch.arange(6) % 3, 0),  # identical features
    (torch.eye(3, CHANNELS), torch.arange(3), 1e6),  # a point per class
])
def test_degenerate_features_give_a_finite_criterion(features, labels,
                                                     expected):
    statistics = filled(features, labels, 3)
    assert statistics.discriminability.item() == pytest.approx(
        expected, rel=1e-5, abs=1e-5)


def test_statistics_start_anew_after_a_reset():
    batch = make_features(20, seed=2)
    statistics = filled(*make_features(9, seed=3), [9])
    statistics.reset()
    statistics.add(*batch)
    expected = filled(*batch, [20])
    torch.testing.assert_close(statistics.state_dict(), expected.state_dict())


def test_no_gradient_is_kept():
    features, labels = make_features(5, seed=4)
    statistics = filled(features.requires_grad_(), labels, [5])
    assert not any(b.requires_grad for b in statistics.buffers())


def batches_of(epoch: int, iterations: int = 3) -> list[tuple]:
    """Pairs of batches; the domains come closer epoch by epoch."""
    return [(make_features(8, seed=10 * epoch + i),
             make_features(6, seed=100 + 10 * epoch + i,
                           offset=3. / (1 + epoch)))
            for i in range(iterations)]


def plain_weights(epochs: int) -> list[float]:
    """The weight after each epoch, from all features of the epoch."""
    weights, distances, criteria = [], [0.], []
    for epoch in range(epochs):
        batches = batches_of(epoch)
        domains = [[torch.cat(parts)
                    for parts in zip(*(pair[k] for pair in batches))]
                   for k in (0, 1)]
        source, target = (plain_mean(features) for features, _ in domains)
        distances.append(((source - target)**2).sum())
        both = [plain_discriminability(*domain) for domain in domains]
        criteria += both
        a = distances[-1] / max(distances)
        j = (min(both) - min(criteria)) / (max(criteria) - min(criteria))
        weights.append(a / (a + 1 - j))
    return weights


def run(weight: DynamicWeight, epochs) -> list[float]:
    values = []
    for epoch in epochs:
        for source, target in batches_of(epoch):
            weight.add(source, target)
        values.append(weight.value.item())
    return values


def test_weights_of_epochs_equal_those_of_all_features():
    weight = DynamicWeight(CHANNELS, CLASSES, epoch_iters=3)
    assert weight.value == 0.5
    values = run(weight, range(5))
    assert values == pytest.approx(plain_weights(5), rel=1e-4)
    assert values[0] == pytest.approx(0.5)
    assert min(values) < 0.2


def test_weight_changes_at_the_end_of_an_epoch_only():
    weight = DynamicWeight(CHANNELS, CLASSES, epoch_iters=3)
    run(weight, range(2))
    value = weight.value.item()
    for source, target in batches_of(2)[:2]:
        weight.add(source, target)
    assert weight.value == value


def test_misaligned_domains_get_more_and_confused_classes_less_alignment():

    def value_after(offset, spread):
        weight = DynamicWeight(CHANNELS, CLASSES, epoch_iters=1)
        features, labels = make_features(50, seed=0)
        weight.add((features, labels), (features + 2, labels))
        weight.add((features, 0 * labels), (features + 1, 0 * labels))
        centres = labels[:, None].float()
        features = centres + spread * (features - centres)
        weight.add((features, labels), (features + offset, labels))
        return weight.value

    assert value_after(2, 1) > value_after(1, 1) > value_after(0.1, 1)
    assert value_after(1, 1) > value_after(1, 3)


@pytest.mark.parametrize('stop', [1, 3, 4])
def test_resumes_exactly(stop):
    weight = DynamicWeight(CHANNELS, CLASSES, epoch_iters=3)
    batches = batches_of(0) + batches_of(1) + batches_of(2)
    for source, target in batches[:stop]:
        weight.add(source, target)
    resumed = DynamicWeight(CHANNELS, CLASSES, epoch_iters=3)
    resumed.load_state_dict(weight.state_dict())
    for module in (weight, resumed):
        for source, target in batches[stop:]:
            module.add(source, target)
    assert weight.value != 0.5
    torch.testing.assert_close(
        resumed.state_dict(), weight.state_dict(), rtol=0, atol=0)


@pytest.mark.parametrize('features, expected', [
    (torch.ones(2, CHANNELS), 0.),  # aligned, nothing to tell apart
    (torch.full((2, CHANNELS), torch.inf), 0.5),
    (torch.full((2, CHANNELS), torch.nan), 0.5),
])
def test_degenerate_epochs(features, expected):
    weight = DynamicWeight(CHANNELS, CLASSES, epoch_iters=1)
    batch = features, torch.tensor([0, 1])
    weight.add(batch, batch)
    assert weight.value == expected
    for pair in batches_of(0):  # it recovers
        weight.add(*pair)
    assert 0 < weight.value < 1


def test_aligned_and_well_told_apart_is_neutral():
    weight = DynamicWeight(CHANNELS, CLASSES, epoch_iters=1)
    features, labels = make_features(20, seed=0)
    weight.add((features, labels), (features + 1, labels))
    features = labels[:, None] + 0.1 * features
    weight.add((features, labels), (features, labels))
    assert weight.value == 0.5


@pytest.mark.parametrize('epoch_iters', [0, -1])
def test_bad_epochs_are_refused(epoch_iters):
    with pytest.raises(ValueError, match='`epoch_iters`.*at least 1'):
        DynamicWeight(CHANNELS, CLASSES, epoch_iters=epoch_iters)


def count_on(rank: int) -> list[float]:
    """Every other sample is on the other rank."""
    weight = DynamicWeight(CHANNELS, CLASSES, epoch_iters=3)
    values = []
    for epoch in range(4):
        for pair in batches_of(epoch):
            weight.add(*((features[rank::2], labels[rank::2])
                         for features, labels in pair))
            # A checkpoint has the state of rank 0.
            state = [weight.state_dict()]
            distributed.broadcast_object_list(state)
            weight.load_state_dict(state[0])
        values.append(weight.value.item())
    return values


def test_ranks_count_the_features_of_all():
    """Even if training resumes after every iteration."""
    ranks = on_two_ranks(count_on)
    assert ranks[0] == ranks[1]
    single = run(DynamicWeight(CHANNELS, CLASSES, epoch_iters=3), range(4))
    assert ranks[0] == pytest.approx(single, rel=1e-4)


def test_a_new_training_starts_as_a_new_weight():
    weight = DynamicWeight(CHANNELS, CLASSES, epoch_iters=2)
    for seed in range(5):
        weight.add(make_features(9, seed), make_features(9, seed, offset=1.))
    weight.restart_training()
    torch.testing.assert_close(
        weight.state_dict(),
        DynamicWeight(CHANNELS, CLASSES, epoch_iters=2).state_dict())
