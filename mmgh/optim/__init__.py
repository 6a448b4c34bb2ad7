"""Optim wrappers that harmonize, and learning-rate schedules."""
from .gh_amp_optim_wrapper import GHAmpOptimWrapper
from .gh_optim_wrapper import GHOptimWrapper
from .harmonization_mixin import HarmonizationMixin
from .inverse_decay_lr import InverseDecayLR

__all__ = [
    'GHAmpOptimWrapper', 'GHOptimWrapper', 'HarmonizationMixin',
    'InverseDecayLR'
]
