"""What every score promises, whatever its formula is."""
from __future__ import annotations

import pytest
import torch

from mmgh.evaluation import UnsupervisedMetric, scores
from .every_score import OF_PREDICTIONS, SCORES, Entry

every_score = pytest.mark.parametrize('entry', SCORES, ids=repr)
every_score_of_predictions = pytest.mark.parametrize(
    'entry', OF_PREDICTIONS, ids=repr)
PREDICTIONS = {
    'one image': torch.tensor([[0.2, 0.3, 0.5]]),
    'one certain image': torch.tensor([[0., 1., 0.]]),
    'two images': torch.tensor([[0.2, 0.8], [1., 0.]]),
    'one class predicted': torch.eye(4)[[1] * 9],
    'all alike': torch.full((9, 4), 0.25),
    'zeros': torch.eye(4).repeat(5, 1),
    'one class exists': torch.ones(9, 1),
    'fewer images than classes': torch.eye(9)[:3],
}


def make_predictions(number: int = 23, classes: int = 5) -> torch.Tensor:
    return (3 * torch.randn(number, classes)).softmax(dim=1)


def test_every_score_is_in_the_list():
    listed = {entry.name for entry in SCORES}
    for name in scores.__all__:
        assert name in listed, (
            f'Add `Entry({name!r}),` to the list `SCORES` in '
            'tests/test_evaluation/every_score.py.')


@every_score
def test_every_score_is_an_item_of_the_metric(entry):
    try:
        UnsupervisedMetric(items=[entry.item])
    except ValueError:
        pytest.fail(f'Import {entry.name}, and add `{entry.item!r}: '
                    f'{entry.name},` to `_OF_PREDICTIONS`, in '
                    'mmgh/evaluation/unsupervised_metric.py.')


def score_of_classifier(entry: Entry, is_good: bool) -> float:
    """One whose predictions are clusters, certain and right, or one whose
    predictions lie all over and have nothing to do with the labels."""
    labels = torch.arange(400) % 4
    predictions = 0.98 * torch.eye(4)[labels] + 0.005
    if not is_good:
        predictions = (2 * torch.randn(400, 4)).softmax(dim=1)
    metric = UnsupervisedMetric(items=[entry.item])
    for i, features in enumerate(torch.randn(400, 3)):
        domain = 'source' if i < 200 else 'target'
        metric.process({}, [
            dict(
                domain=domain,
                pred_score=predictions[i],
                gt_label=labels[i:i + 1],
                features=features)
        ])
    return metric.compute_metrics(metric.results)[entry.item]


@every_score
def test_it_is_known_whether_lower_is_better(entry):
    good, bad = (score_of_classifier(entry, kind) for kind in (True, False))
    is_lower = good < bad
    if is_lower != entry.lower_is_better:
        pytest.fail(f'{entry} is {good} for a good classifier, and {bad} for '
                    f'a bad one: set `lower_is_better={is_lower}` in its '
                    'Entry in tests/test_evaluation/every_score.py.')
    if is_lower != (entry.item in UnsupervisedMetric.lower_is_better):
        pytest.fail(f"{'Add' if is_lower else 'Remove'} {entry.item!r} "
                    f"{'to' if is_lower else 'from'} `lower_is_better` in "
                    'mmgh/evaluation/unsupervised_metric.py.')


@every_score_of_predictions
@pytest.mark.parametrize('case', PREDICTIONS)
def test_scores_are_finite_numbers(entry, case):
    predictions = PREDICTIONS[case].clone()
    value = entry.function(predictions)
    assert value.dim() == 0 and value.isfinite()
    assert torch.equal(predictions, PREDICTIONS[case])


@every_score_of_predictions
def test_order_of_images_and_classes_does_not_matter(entry):
    predictions = make_predictions()
    value = entry.function(predictions)
    images, classes = torch.randperm(23), torch.randperm(5)
    torch.testing.assert_close(entry.function(predictions[images]), value)
    torch.testing.assert_close(entry.function(predictions[:, classes]), value)


@every_score_of_predictions
def test_precision_does_not_matter(entry):
    predictions = make_predictions()
    torch.testing.assert_close(
        float(entry.function(predictions.double())),
        float(entry.function(predictions)),
        rtol=1e-4,
        atol=1e-5)
