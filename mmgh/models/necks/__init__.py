"""Necks: between a backbone and a classification head."""
from .bottleneck import Bottleneck

__all__ = ['Bottleneck']
