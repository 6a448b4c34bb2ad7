"""Harmonizers: from the Gramian of the task gradients to the task weights."""
from mmgh.rooms import import_new_files
from .gh import GH
from .gh_plus_plus import GHPlusPlus
from .grad_vac import GradVac
from .harmonizer import Harmonizer
from .pair_harmonizer import PairHarmonizer
from .torchjd import TorchJD

__all__ = [
    'GH', 'GHPlusPlus', 'GradVac', 'Harmonizer', 'PairHarmonizer', 'TorchJD'
]

# For editors and type checkers the names above are spelled out. A new file
# needs none: it is found by itself.
import_new_files(__name__)
