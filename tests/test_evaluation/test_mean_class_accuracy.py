"""MeanClassAccuracy, as MMEngine's evaluator uses it."""
from __future__ import annotations

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmpretrain.structures import DataSample
from sklearn.metrics import balanced_accuracy_score

CLASSES = 6


def make_samples(labels, predicted, field: str) -> list[DataSample]:
    samples = []
    for label, guess in zip(labels, predicted):
        sample = DataSample().set_gt_label(int(label))
        if field == 'pred_score':
            sample.set_pred_score(torch.eye(CLASSES)[guess] + 0.1)
        else:
            sample.set_pred_label(int(guess))
        samples.append(sample)
    return samples


def evaluate(samples) -> dict:
    evaluator = Evaluator(dict(type='mmgh.MeanClassAccuracy'))
    for first in range(0, len(samples), 4):
        evaluator.process(samples[first:first + 4])
    return evaluator.evaluate(len(samples))


@pytest.mark.parametrize('field', ['pred_score', 'pred_label'])
@pytest.mark.parametrize('number, classes', [
    (100, range(CLASSES)),
    (100, [1, 2, 5]),
    (13, range(CLASSES)),
    (9, [4]),
    (1, [0]),
    (1, [5]),
])
@pytest.mark.filterwarnings('ignore::UserWarning:sklearn')
def test_it_is_the_balanced_accuracy(field, number, classes):
    """Of the classes that have images; others may be predicted."""
    random = np.random.RandomState(number)
    labels = random.choice(list(classes), number)
    predicted = np.where(
        random.rand(number) < 0.5, labels, random.choice(CLASSES, number))
    expected = 100 * balanced_accuracy_score(labels, predicted)
    assert evaluate(make_samples(labels, predicted, field)) == {
        'accuracy/mean_class': pytest.approx(expected)
    }


def test_rare_classes_count_as_much_as_others():
    labels, predicted = [3] * 99 + [0], [3] * 100
    assert evaluate(make_samples(labels, predicted, 'pred_score')) == {
        'accuracy/mean_class': 50
    }


def test_scores_outrank_a_predicted_label():
    """As in mmpretrain's Accuracy."""
    samples = make_samples([2, 3], [2, 3], 'pred_score')
    for sample in samples:
        sample.set_pred_label(0)
    assert evaluate(samples) == {'accuracy/mean_class': 100}


@pytest.mark.parametrize('labels, number', [([], 0), ([1, 2], 2)])
def test_other_than_one_label_is_refused(labels, number):
    samples = make_samples([0, 1], [0, 1], 'pred_score')
    if labels:
        samples[1].set_gt_label(labels)
    else:
        del samples[1].gt_label
    with pytest.raises(ValueError, match='needs one label of each image, but '
                       f'one has {number}'):
        evaluate(samples)
