"""Backbones of UDA recipes that mmpretrain lacks."""
from .digits_dtn import DigitsDTN
from .digits_lenet import DigitsLeNet
from .layers_of import LayersOf
from .pass_on import PassOn
from .timm_features import TimmFeatures

__all__ = ['DigitsDTN', 'DigitsLeNet', 'LayersOf', 'PassOn',
           'TimmFeatures']
