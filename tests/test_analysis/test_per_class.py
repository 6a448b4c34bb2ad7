"""Accuracy of each class."""
from __future__ import annotations

import numpy as np
import pytest

from mmgh.analysis.per_class import (class_accuracies, class_order, confusion,
                                     differences)

LABELS = np.random.RandomState(0).choice([0, 1, 3], 100)


def run(seed: int):
    predictions = np.random.RandomState(seed).randint(0, 4, 100)
    return predictions, class_accuracies('dann', predictions, LABELS, 4)


def test_accuracies_are_those_of_a_plain_loop():
    predictions, result = run(1)
    for label in (0, 1, 3):
        hits = [int(p == y) for p, y in zip(predictions, LABELS)
                if y == label]
        assert result.accuracies[label] == pytest.approx(
            100 * sum(hits) / len(hits))
    hits = [int(p == y) for p, y in zip(predictions, LABELS)]
    assert result.overall == pytest.approx(sum(hits))


def test_class_without_images_has_no_accuracy():
    _, result = run(1)
    assert np.isnan(result.accuracies[2])
    assert result.mean == pytest.approx(result.accuracies[[0, 1, 3]].mean())


def test_classes_go_from_gain_to_loss():
    runs = [run(1)[1], run(2)[1], run(3)[1]]
    order = class_order(runs)
    assert sorted(order) == [0, 1, 3]
    change = [runs[2].accuracies[i] - runs[0].accuracies[i] for i in order]
    assert change == sorted(change, reverse=True)
    assert differences(runs)[order].tolist() == change


@pytest.mark.parametrize('seed', range(5))
def test_classes_of_one_run_go_from_best_to_worst(seed):
    alone = run(seed)[1]
    order = class_order([alone])
    assert sorted(order) == [0, 1, 3]
    accuracies = alone.accuracies[order].tolist()
    assert accuracies == sorted(accuracies, reverse=True)


def test_confusion_is_that_of_a_plain_count():
    predictions, result = run(1)
    matrix = confusion(predictions, LABELS, 4)
    for label in (0, 1, 3):
        taken = [p for p, y in zip(predictions, LABELS) if y == label]
        assert matrix[label] == pytest.approx(
            [100 * taken.count(i) / len(taken) for i in range(4)])
        assert matrix[label, label] == pytest.approx(result.accuracies[label])
    assert np.isnan(matrix[2]).all()  # it has no images
