"""Models of unsupervised domain adaptation for mmpretrain's classifiers."""
from mmgh.compat import check_minimum_version

check_minimum_version('mmcv', '2.0')
check_minimum_version('mmpretrain', '1.0')

from .backbones import *  # noqa: E402, F401, F403
from .domain_pair_preprocessor import DomainPairDataPreprocessor  # noqa: E402
from .layers import *  # noqa: E402, F401, F403
from .necks import *  # noqa: E402, F401, F403
from .uda_classifier import UDAClassifier  # noqa: E402
from .uda_heads import *  # noqa: E402, F401, F403

__all__ = ['DomainPairDataPreprocessor', 'UDAClassifier']
