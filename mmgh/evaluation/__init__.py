"""Metrics: without target labels, of one domain, and over classes."""
from .domain_metric import DomainMetric
from .mean_class_accuracy import MeanClassAccuracy
from .unsupervised_metric import UnsupervisedMetric

__all__ = ['DomainMetric', 'MeanClassAccuracy', 'UnsupervisedMetric']
