"""Building blocks of UDA heads."""
from .domain_discriminator import DomainDiscriminator
from .gradient_reversal import GradientReversal
from .multilinear_map import MultilinearMap

__all__ = ['DomainDiscriminator', 'GradientReversal', 'MultilinearMap']
