"""Accuracy of each class."""
from __future__ import annotations

from typing import NamedTuple, Sequence

import numpy as np


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
    """Accuracy of each class.

    Args:
        name (str): Of the run.
        predictions (np.ndarray): Classes, shape ``(N, )``.
        labels (np.ndarray): Shape ``(N, )``.
        num_classes (int): C.
    """
    correct = predictions == labels
    counts = np.bincount(labels, minlength=num_classes)
    hits = np.bincount(labels[correct], minlength=num_classes)
    accuracies = np.full(num_classes, np.nan)
    np.divide(100 * hits, counts, out=accuracies, where=counts > 0)
    return ClassAccuracies(name, accuracies, 100 * float(correct.mean()))


def differences(runs: Sequence[ClassAccuracies]) -> np.ndarray:
    """Of the last run to the first, in points, shape ``(C, )``."""
    return runs[-1].accuracies - runs[0].accuracies


def class_order(runs: Sequence[ClassAccuracies]) -> list[int]:
    """Classes that have images, from the greatest gain to the greatest loss;
    of a single run, from the best to the worst."""
    values = differences(runs) if len(runs) > 1 else runs[0].accuracies
    return [int(i) for i in np.argsort(-values, kind='stable')
            if not np.isnan(values[i])]
