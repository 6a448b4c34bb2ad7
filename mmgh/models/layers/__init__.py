"""Building blocks of UDA heads."""
from .bridged_discriminator import BridgedDiscriminator
from .class_statistics import ClassStatistics
from .domain_discriminator import DomainDiscriminator
from .domain_loss import domain_loss
from .dynamic_weight import DynamicWeight
from .gaussian_kernel import GaussianKernel
from .gradient_reversal import GradientReversal
from .multi_kernel_mmd import MultiKernelMMD
from .multilinear_map import MultilinearMap
from .prediction_entropy import prediction_entropy
from .singular_values import singular_values

__all__ = [
    'BridgedDiscriminator', 'ClassStatistics', 'DomainDiscriminator',
    'DynamicWeight', 'GaussianKernel', 'GradientReversal', 'MultiKernelMMD',
    'MultilinearMap', 'domain_loss', 'prediction_entropy', 'singular_values'
]
