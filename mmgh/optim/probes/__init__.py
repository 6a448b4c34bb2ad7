"""Where task gradients are compared, and how the step follows from it."""
from .feature_probe import FeatureProbe
from .module_probe import ModuleProbe
from .parameter_probe import ParameterProbe
from .probe import GramianOf, Probe, TaskWeights, Weigh, product_by_task

__all__ = [
    'FeatureProbe', 'GramianOf', 'ModuleProbe', 'ParameterProbe', 'Probe',
    'TaskWeights', 'Weigh', 'product_by_task'
]
