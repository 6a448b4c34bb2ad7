"""Optim wrappers that harmonize, and learning-rate schedules."""
from .gh_optim_wrapper import GHOptimWrapper
from .inverse_decay_lr import InverseDecayLR

__all__ = ['GHOptimWrapper', 'InverseDecayLR']
