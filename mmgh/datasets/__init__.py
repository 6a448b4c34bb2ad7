"""Domain pairs, and the data sets that mmpretrain lacks."""
from .digits import Digits, DigitsM
from .domain_concat_dataset import DomainConcatDataset
from .domain_pair_dataset import DomainPairDataset
from .domain_pair_sampler import DomainPairSampler
from .feature_folder import FeatureFolder
from .image_list import ImageList
from .load_features import LoadFeatures
from .svhn import SVHN
from .usps import USPS

__all__ = [
    'Digits', 'DigitsM', 'DomainConcatDataset', 'DomainPairDataset',
    'DomainPairSampler', 'FeatureFolder', 'ImageList', 'LoadFeatures', 'SVHN',
    'USPS'
]
