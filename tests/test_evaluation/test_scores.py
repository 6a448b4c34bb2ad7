"""Each score against an independent computation, and at its extremes."""
from __future__ import annotations

import warnings
from math import exp, isfinite, log, sqrt

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn.linear_model import LogisticRegression

from mmgh.evaluation.scores import (dev_risk, entropy, mutual_information,
                                    nuclear_norm, soft_neighborhood_density)
from mmgh.evaluation.scores.dev_risk import density_ratios
from .test_every_score import PREDICTIONS, make_predictions

CERTAIN = PREDICTIONS['zeros']


def normal(*shape: int) -> torch.Tensor:
    """The same whenever a test is collected."""
    generator = torch.Generator().manual_seed(sum(shape))
    return torch.randn(shape, generator=generator)


def density_by_loops(predictions: np.ndarray, temperature: float) -> float:
    entropies = []
    for i, p in enumerate(predictions):
        cosines = [
            sum(p * q) / sqrt(sum(p * p)) / sqrt(sum(q * q))
            for j, q in enumerate(predictions) if j != i
        ]
        weights = [exp(cosine / temperature) for cosine in cosines]
        shares = [weight / sum(weights) for weight in weights]
        entropies.append(-sum(s * log(s) for s in shares))
    return sum(entropies) / len(entropies)


def test_entropy_is_the_mean_of_scipys():
    predictions = make_predictions()
    expected = stats.entropy(predictions.numpy(), axis=1).mean()
    assert entropy(predictions).item() == pytest.approx(expected, rel=1e-5)


def test_mutual_information_is_the_divergence_from_the_mean():
    """Another form of it: the mean KL divergence."""
    predictions = make_predictions().numpy()
    mean = predictions.mean(axis=0)
    expected = np.mean([stats.entropy(p, mean) for p in predictions])
    value = mutual_information(torch.tensor(predictions))
    assert value.item() == pytest.approx(expected, rel=1e-5)


def test_nuclear_norm_is_the_trace_of_a_root():
    """Another form of it: the trace of the root of the Gramian."""
    predictions = make_predictions()
    gramian = (predictions.T @ predictions).double()
    norm = torch.linalg.eigvalsh(gramian).sqrt().sum().item()
    value = nuclear_norm(predictions).item()
    assert value == pytest.approx(norm / sqrt(23 * 5), rel=1e-4)


def test_nuclear_norm_does_not_depend_on_the_number_of_images():
    predictions = make_predictions()
    torch.testing.assert_close(
        nuclear_norm(predictions.repeat(7, 1)), nuclear_norm(predictions))


@pytest.mark.parametrize('temperature', [0.05, 0.3])
def test_density_is_that_of_loops(temperature):
    predictions = make_predictions()
    expected = density_by_loops(predictions.double().numpy(), temperature)
    value = soft_neighborhood_density(predictions, temperature)
    assert value.item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize('at_a_time', [1, 50, 23 * 7, 10**6])
def test_density_is_computed_some_rows_at_a_time(monkeypatch, at_a_time):
    predictions = make_predictions()
    whole = soft_neighborhood_density(predictions)
    monkeypatch.setitem(soft_neighborhood_density.__globals__,
                        '_SIMILARITIES_AT_A_TIME', at_a_time)
    torch.testing.assert_close(soft_neighborhood_density(predictions), whole)


def test_extremes():
    """Certain predictions, all classes equally often; one class only."""
    one_class = PREDICTIONS['one class predicted']
    assert entropy(CERTAIN) == entropy(one_class) == 0
    assert mutual_information(CERTAIN).item() == pytest.approx(log(4))
    assert mutual_information(one_class) == 0
    assert nuclear_norm(CERTAIN).item() == pytest.approx(1)
    assert nuclear_norm(torch.eye(9)[:3]).item() == pytest.approx(1)
    assert nuclear_norm(one_class).item() == pytest.approx(0.5)
    assert entropy(PREDICTIONS['all alike']).item() == pytest.approx(log(4))
    assert soft_neighborhood_density(one_class).item() == pytest.approx(
        log(8))
    # The four others of its class are all the neighbours that each has.
    assert soft_neighborhood_density(CERTAIN).item() == pytest.approx(
        log(4), abs=1e-4)


def make_domains(sources: int = 40, targets: int = 70):
    """Gaussians of different means; features of different scales."""
    scales = torch.tensor([1., 100., 0.01])
    source = torch.randn(sources, 3) * scales
    target = (torch.randn(targets, 3) + 0.7) * scales
    return source, target, torch.rand(sources)


def test_risk_is_that_of_another_computation():
    """Standardised by hand, weighted by probabilities, summed in loops."""
    source, target, losses = (t.double() for t in make_domains())
    order = np.random.RandomState(0).permutation(40)
    first, second = order[:20], order[20:]
    weights = np.zeros(40)
    for fitted, weighted in ((first, second), (second, first)):
        points = np.concatenate([source[fitted], target])
        mean, std = points.mean(axis=0), points.std(axis=0)
        classifier = LogisticRegression(tol=1e-10, max_iter=10000).fit(
            (points - mean) / std, [0] * 20 + [1] * 70)
        found = classifier.predict_proba((source[weighted].numpy() - mean) /
                                         std)
        weights[weighted] = found[:, 1] / found[:, 0] * 20 / 70
    mean_weight = sum(weights) / 40
    weighted = weights * losses.numpy()
    mean_loss = sum(weighted) / 40
    variance = sum((w - mean_weight)**2 for w in weights)
    covariance = sum((w - mean_weight) * (v - mean_loss)
                     for w, v in zip(weights, weighted))
    expected = mean_loss - covariance / variance * (mean_weight - 1)
    assert dev_risk(source, target, losses) == pytest.approx(
        expected, rel=1e-4)
    assert expected != pytest.approx(losses.mean().item(), rel=0.01)


def test_weights_are_the_ratio_of_the_densities():
    """exp(x / 2 - 1 / 8) for N(0, 1) and N(1 / 2, 1)."""
    random = np.random.RandomState(0)
    source = random.randn(4000, 1)
    target = random.randn(8000, 1) + 0.5
    expected = np.exp(source[:, 0] / 2 - 1 / 8)
    ratios = density_ratios(source, target)
    assert np.abs(np.log(ratios / expected)).max() < 0.3
    assert ratios.mean() == pytest.approx(1, abs=0.03)


def test_control_variate_leaves_a_constant_loss_alone():
    source, target, _ = make_domains()
    assert dev_risk(source, target, torch.full(
        (40, ), 2.5)) == pytest.approx(2.5)


def test_risk_is_that_of_source_images_like_the_target():
    """Losses are 3 on the left, where the target is, and 1 on the right."""
    source = torch.randn(400, 2)
    target = torch.randn(300, 2)
    target[:, 0] -= 1.5
    losses = torch.where(source[:, 0] < 0, 3., 1.)
    assert 2.6 < dev_risk(source, target, losses) < 3.4


def test_risk_vanishes_where_the_domains_are_far_apart():
    """What its docstring warns of."""
    source, losses = torch.randn(200, 50), torch.full((200, ), 2.5)
    losses[::2] = 0.5
    near, far = (dev_risk(source, torch.randn(2000, 50) + distance, losses)
                 for distance in (0., 4.))
    assert 0.5 < near < 2.5
    assert 0 < far < 1e-3


def test_no_image_is_weighted_by_a_classifier_that_saw_it():
    """In 40 dimensions it would know its 30 source images by heart."""
    source, target = torch.randn(30, 40), torch.randn(400, 40)
    ratios = density_ratios(source.numpy(), target.numpy())
    assert 0.2 < np.median(ratios) < 5


@pytest.mark.parametrize('source, target', [
    (normal(1, 3), normal(5, 3)),
    (normal(2, 3), normal(1, 3)),
    (normal(3, 3), normal(5, 3)),
    (torch.ones(10, 3), torch.ones(7, 3)),
    (torch.zeros(10, 3), torch.zeros(7, 3)),
    (torch.ones(11, 3), 2 * torch.ones(7, 3)),
    (torch.arange(12.).view(4, 3), torch.arange(12.).view(4, 3)),
    (1e6 * normal(10, 3), 1e-6 * normal(9, 3)),
    (torch.tensor([[0.], [1e6], [-1e6]]), torch.tensor([[1.], [2.]])),
])
def test_risk_is_finite(source, target):
    losses = torch.linspace(0, 80, len(source))
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        value = dev_risk(source, target, losses)
    assert isfinite(value)


@pytest.mark.parametrize('source, target', [
    (normal(1, 3), normal(5, 3)),
    (torch.ones(11, 3), torch.ones(7, 3)),
])
def test_risk_is_the_plain_loss_if_nothing_tells_the_domains(source, target):
    losses = torch.linspace(1, 80, len(source))
    assert dev_risk(source, target, losses) == pytest.approx(
        losses.mean().item(), rel=1e-3)
