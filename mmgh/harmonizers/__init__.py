"""Harmonizers: from the Gramian of the task gradients to the task weights."""
from .gh import GH
from .gh_plus_plus import GHPlusPlus
from .grad_vac import GradVac
from .harmonizer import Harmonizer
from .pair_harmonizer import PairHarmonizer
from .torchjd import TorchJD

__all__ = ['GH', 'GHPlusPlus', 'GradVac', 'Harmonizer', 'PairHarmonizer', 'TorchJD']
