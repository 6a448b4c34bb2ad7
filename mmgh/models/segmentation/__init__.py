"""Segmentors of mmseg that adapt. mmseg is imported once one is built."""
from .adapt_seg_net_head import AdaptSegNetHead
from .map_discriminator import MapDiscriminator
from .seg_domain_pair_preprocessor import SegDomainPairDataPreprocessor
from .seg_uda_head import SegUDAHead
from .uda_segmentor import UDASegmentor

__all__ = [
    'AdaptSegNetHead', 'MapDiscriminator', 'SegDomainPairDataPreprocessor',
    'SegUDAHead', 'UDASegmentor'
]
