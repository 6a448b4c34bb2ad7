"""Domain pairs, and the data sets that mmpretrain lacks."""
from .digits import Digits, DigitsM
from .domain_concat_dataset import DomainConcatDataset
from .domain_pair_dataset import DomainPairDataset
from .domain_pair_sampler import DomainPairSampler
from .image_list import ImageList
from .svhn import SVHN
from .usps import USPS

__all__ = [
    'Digits', 'DigitsM', 'DomainConcatDataset', 'DomainPairDataset',
    'DomainPairSampler', 'ImageList', 'SVHN', 'USPS'
]
