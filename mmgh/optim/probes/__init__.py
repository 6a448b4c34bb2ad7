"""Where task gradients are compared, and how the step follows from it."""
from .feature_probe import FeatureProbe
from .module_probe import ModuleProbe
from .parameter_probe import ParameterProbe
from .probe import Comparison, Probe, TaskWeights, product_by_task

__all__ = [
    'Comparison', 'FeatureProbe', 'ModuleProbe', 'ParameterProbe', 'Probe',
    'TaskWeights', 'product_by_task'
]
