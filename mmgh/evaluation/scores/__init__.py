"""How good a classifier is on the target, guessed without its labels.

Each score is a pure function of predictions ``(N, C)``, or of features and
losses. None of them is a guarantee: compare their rankings with the true one
where labels exist (tools/analysis/rank_correlation.py).
"""
from mmgh.rooms import import_new_files
from .dev_risk import dev_risk
from .entropy import entropy
from .mutual_information import mutual_information
from .nuclear_norm import nuclear_norm
from .soft_neighborhood_density import soft_neighborhood_density

__all__ = [
    'dev_risk', 'entropy', 'mutual_information', 'nuclear_norm',
    'soft_neighborhood_density'
]

# For editors and type checkers the names above are spelled out. A new file
# needs none: it is found by itself.
import_new_files(__name__)
