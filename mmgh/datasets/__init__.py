"""Domain pairs, and the data sets that mmpretrain lacks."""
from mmgh.rooms import import_new_files
from .digits import Digits, DigitsM
from .domain_concat_dataset import DomainConcatDataset
from .domain_pair_dataset import DomainPairDataset
from .domain_pair_sampler import DomainPairSampler
from .feature_folder import FeatureFolder
from .image_folder import ImageFolder
from .image_list import ImageList
from .load_features import LoadFeatures
from .svhn import SVHN
from .usps import USPS

__all__ = [
    'Digits', 'DigitsM', 'DomainConcatDataset', 'DomainPairDataset',
    'DomainPairSampler', 'FeatureFolder', 'ImageFolder', 'ImageList',
    'LoadFeatures', 'SVHN', 'USPS'
]

# For editors and type checkers the names above are spelled out. A new file
# needs none: it is found by itself.
import_new_files(__name__)
