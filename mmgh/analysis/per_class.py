"""Accuracy of each class."""
from __future__ import annotations

from typing import NamedTuple, Sequence

import numpy as np
from sklearn.metrics import accuracy_score, confusion_matrix, recall_score


class ClassAccuracies(NamedTuple):
    """Of a run, on N labelled images of C classes."""

    name: str
    accuracies: np.ndarray
    """Percent of each class, shape ``(C, )``; NaN for one without images."""
    overall: float
    """Percent of all images."""

    @property
    def mean(self) -> float:
        """Of the classes that have images."""
        return float(np.nanmean(self.accuracies))


def class_accuracies(name: str, predictions: np.ndarray, labels: np.ndarray,
                     num_classes: int) -> ClassAccuracies:
    """Measure the accuracy of each class, which is its recall.

    Args:
        name (str): Of the run.
        predictions (np.ndarray): Classes, shape ``(N, )``.
        labels (np.ndarray): Shape ``(N, )``.
        num_classes (int): C.
    """
    recalls = recall_score(
        labels,
        predictions,
        labels=range(num_classes),
        average=None,
        zero_division=np.nan)
    return ClassAccuracies(name, 100 * recalls,
                           100 * float(accuracy_score(labels, predictions)))


def confusion(predictions: np.ndarray, labels: np.ndarray,
              num_classes: int) -> np.ndarray:
    """Measure which classes are taken for which.

    Args:
        predictions (np.ndarray): Classes, shape ``(N, )``.
        labels (np.ndarray): Shape ``(N, )``.
        num_classes (int): C.

    Returns:
        np.ndarray: Percent of the images of the class of a row that are taken
        for that of the column, shape ``(C, C)``; NaN for a class without
        images.
    """
    counts = confusion_matrix(
        labels, predictions, labels=range(num_classes)).astype(float)
    images = counts.sum(1, keepdims=True)
    return 100 * counts / np.where(images > 0, images, np.nan)


def differences(runs: Sequence[ClassAccuracies]) -> np.ndarray:
    """Subtract the first run from the last, in points, shape ``(C, )``."""
    return runs[-1].accuracies - runs[0].accuracies


def class_order(runs: Sequence[ClassAccuracies]) -> list[int]:
    """Sort classes that have images, from the greatest gain to the greatest
    loss; of a single run, from the best to the worst."""
    values = differences(runs) if len(runs) > 1 else runs[0].accuracies
    return [int(i) for i in np.argsort(-values, kind='stable')
            if not np.isnan(values[i])]
