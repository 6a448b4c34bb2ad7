"""Backbones of published UDA recipes that mmpretrain lacks."""
from .digits_dtn import DigitsDTN
from .digits_lenet import DigitsLeNet

__all__ = ['DigitsDTN', 'DigitsLeNet']
