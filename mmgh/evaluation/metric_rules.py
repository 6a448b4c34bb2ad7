"""Of which metrics the better values are known to be the higher ones, or the
lower ones."""
from __future__ import annotations

from mmengine.evaluator import BaseMetric
from mmpretrain.evaluation import Accuracy

from .domain_metric import DomainMetric
from .mean_class_accuracy import MeanClassAccuracy
from .unsupervised_metric import UnsupervisedMetric


def rules_of_metric(metric: BaseMetric) -> dict[str, str]:
    """Return by which rule the values of a metric are compared.

    Args:
        metric (BaseMetric): Of any kind; of some nothing is known.

    Returns:
        dict[str, str]: For each name in the log that is known ``'greater'``,
        if the greater value is the better one, or ``'less'``.
    """
    if isinstance(metric, DomainMetric):
        rules = {name: rule for inner in metric.metrics
                 for name, rule in rules_of_metric(inner).items()}
    elif isinstance(metric, UnsupervisedMetric):
        rules = {item: 'less' if item in metric.lower_is_better else 'greater'
                 for item in metric.items}
    elif isinstance(metric, Accuracy):
        rules = {f'top{k}': 'greater' for k in metric.topk}
    elif isinstance(metric, MeanClassAccuracy):
        rules = dict(mean_class='greater')
    else:
        rules = {}
    return {f'{metric.prefix}/{name}' if metric.prefix else name: rule
            for name, rule in rules.items()}
