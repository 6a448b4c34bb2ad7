"""Models of unsupervised domain adaptation for mmpretrain's classifiers."""
from mmgh.compat import check_minimum_version

check_minimum_version('mmcv', '2.0.1')
check_minimum_version('mmpretrain', '1.2.0')

# ruff: noqa: E402
from .alternating_mcd_classifier import AlternatingMCDClassifier
from .backbones import DigitsDTN, DigitsLeNet
from .domain_pair_preprocessor import DomainPairDataPreprocessor
from .heads import BridgeClsHead
from .layers import (BridgedDiscriminator, ClassStatistics,
                     DomainDiscriminator, DynamicWeight, GaussianKernel,
                     GradientReversal, MultiKernelMMD, MultilinearMap)
from .necks import Bottleneck
from .own_step_data_parallel import OwnStepDistributedDataParallel
from .ssrt_classifier import SSRTClassifier
from .uda_classifier import UDAClassifier
from .uda_heads import (AFNHead, BSPHead, CDANHead, DANHead, DANNHead,
                        DWLHead, DeepCORALHead, DomainOutput, GVBHead, JANHead,
                        MCCHead, MCDHead, MDDHead, UDAHead)

__all__ = [
    'AFNHead', 'AlternatingMCDClassifier', 'BSPHead', 'Bottleneck',
    'BridgeClsHead', 'BridgedDiscriminator', 'CDANHead', 'ClassStatistics',
    'DANHead', 'DANNHead', 'DWLHead', 'DeepCORALHead', 'DigitsDTN',
    'DigitsLeNet', 'DomainDiscriminator', 'DomainOutput',
    'DomainPairDataPreprocessor', 'DynamicWeight', 'GVBHead', 'GaussianKernel',
    'GradientReversal', 'JANHead', 'MCCHead', 'MCDHead', 'MDDHead',
    'MultiKernelMMD', 'MultilinearMap', 'OwnStepDistributedDataParallel',
    'SSRTClassifier', 'UDAClassifier', 'UDAHead'
]
