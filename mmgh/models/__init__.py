"""Models of unsupervised domain adaptation: mmpretrain's classifiers, and
mmseg's segmentors."""
from mmgh.compat import check_minimum_version

check_minimum_version('mmcv', '2.0.1')
check_minimum_version('mmpretrain', '1.2.0')

# ruff: noqa: E402, F403
from mmgh.rooms import import_new_files
from . import segmentation, uda_heads
from .alternating_mcd_classifier import AlternatingMCDClassifier
from .backbones import DigitsDTN, DigitsLeNet, PassOn, TimmFeatures
from .domain_pair_preprocessor import DomainPairDataPreprocessor
from .heads import BridgeClsHead
from .layers import (BridgedDiscriminator, ClassStatistics,
                     DomainDiscriminator, DynamicWeight, GaussianKernel,
                     GradientReversal, MultiKernelMMD, MultilinearMap)
from .necks import Bottleneck
from .own_step_data_parallel import OwnStepDistributedDataParallel
from .segmentation import *
from .ssrt_classifier import SSRTClassifier
from .uda_classifier import UDAClassifier
from .uda_heads import *

__all__ = [
    'AlternatingMCDClassifier', 'Bottleneck', 'BridgeClsHead',
    'BridgedDiscriminator', 'ClassStatistics', 'DigitsDTN', 'DigitsLeNet',
    'DomainDiscriminator', 'DomainPairDataPreprocessor', 'DynamicWeight',
    'GaussianKernel', 'GradientReversal', 'MultiKernelMMD', 'MultilinearMap',
    'OwnStepDistributedDataParallel', 'PassOn', 'SSRTClassifier',
    'TimmFeatures', 'UDAClassifier'
]
__all__ += segmentation.__all__ + uda_heads.__all__

# For editors and type checkers the names above are spelled out. A new file
# needs none: it is found by itself.
import_new_files(__name__)
