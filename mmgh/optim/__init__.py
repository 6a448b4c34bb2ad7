"""Optim wrappers that harmonize, and learning-rate schedules."""
from .gh_amp_optim_wrapper import GHAmpOptimWrapper
from .gh_optim_wrapper import GHOptimWrapper
from .harmonization_mixin import HarmonizationMixin, harmonization_arguments
from .harmonize import harmonize
from .inverse_decay_lr import InverseDecayLR
from .mcd_optim_wrapper_constructor import MCDOptimWrapperConstructor
from .measured import Measured

__all__ = [
    'GHAmpOptimWrapper', 'GHOptimWrapper', 'HarmonizationMixin',
    'InverseDecayLR', 'MCDOptimWrapperConstructor', 'Measured',
    'harmonization_arguments', 'harmonize'
]
