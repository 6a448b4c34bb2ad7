"""Metrics that need no target labels, and metrics of one domain."""
from .domain_metric import DomainMetric
from .unsupervised_metric import UnsupervisedMetric

__all__ = ['DomainMetric', 'UnsupervisedMetric']
