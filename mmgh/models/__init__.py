"""Models of unsupervised domain adaptation for mmpretrain's classifiers."""
from mmgh.compat import check_minimum_version

check_minimum_version('mmcv', '2.0.1')
check_minimum_version('mmpretrain', '1.2.0')

# ruff: noqa: E402
from .backbones import DigitsLeNet
from .domain_pair_preprocessor import DomainPairDataPreprocessor
from .layers import DomainDiscriminator, GradientReversal, MultilinearMap
from .necks import Bottleneck
from .uda_classifier import UDAClassifier
from .uda_heads import CDANHead, DANNHead, DomainOutput, UDAHead

__all__ = [
    'Bottleneck', 'CDANHead', 'DANNHead', 'DigitsLeNet', 'DomainDiscriminator',
    'DomainOutput', 'DomainPairDataPreprocessor', 'GradientReversal',
    'MultilinearMap', 'UDAClassifier', 'UDAHead'
]
