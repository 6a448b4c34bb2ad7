"""Which names metrics log, before there is a prediction."""
from __future__ import annotations

from copy import deepcopy
from typing import Any

import torch
from mmengine.evaluator import BaseMetric
from mmpretrain.evaluation import Accuracy, SingleLabelMetric
from mmpretrain.structures import DataSample

from mmgh.input_error import InputError

_PER_DOMAIN = 4


def names_of_metric(metric: BaseMetric, num_classes: int) -> list[str] | None:
    """Return what a metric logs, by a try on made-up predictions.

    Args:
        metric (BaseMetric): It is not changed.
        num_classes (int): Of the predictions.

    Returns:
        list[str], optional: With their prefix; None if that is not certain,
        as with a metric of another library that needs more.

    Raises:
        InputError: If a metric of a kind that we know would fail on any
            predictions of so many classes.
    """
    tried = deepcopy(metric)
    try:
        tried.process(None, _samples(num_classes))
        names = list(tried.compute_metrics(list(tried.results)))
    except Exception as error:  # metrics name no common type
        if _is_known(metric):
            raise InputError(
                f'The metric {type(metric).__name__} should do for '
                f'predictions of {num_classes} classes, but fails: {error}'
            ) from error
        return None
    return [f'{metric.prefix}/{n}' if metric.prefix else n for n in names]


def _samples(num_classes: int) -> list[dict[str, Any]]:
    """Make up predictions of both domains, as MMEngine hands them out."""
    generator = torch.Generator().manual_seed(0)
    samples = []
    for i in range(2 * _PER_DOMAIN):
        sample = DataSample(
            metainfo=dict(domain=('source', 'target')[i % 2]))
        scores = torch.rand(num_classes, generator=generator).softmax(dim=0)
        sample.set_gt_label(i % num_classes).set_pred_score(scores)
        sample.set_gt_score(torch.eye(num_classes)[i % num_classes])
        sample.set_pred_label(scores.argmax())
        sample.set_field(torch.rand(3, generator=generator), 'features')
        samples.append(sample.to_dict())
    return samples


def _is_known(metric: BaseMetric) -> bool:
    """Tell whether predictions of one class an image are all it needs."""
    return type(metric) in (Accuracy, SingleLabelMetric) or (
        type(metric).__module__.startswith('mmgh.')
        and all(map(_is_known, getattr(metric, 'metrics', ()))))
