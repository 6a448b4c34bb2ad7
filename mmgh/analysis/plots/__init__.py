"""Drawings of runs: ``draw_*`` fills axes, ``*_figure`` makes a picture.

Here is what all share; the rest is in modules by subject. Importing it needs
matplotlib, and chooses its back end that needs no screen.
"""
from .curves import SMOOTHING, draw_smooth, moving_average, over_training
from .figure import pyplot, save
from .palette import COLOURS, MARKERS

__all__ = [
    'COLOURS', 'MARKERS', 'SMOOTHING', 'draw_smooth', 'moving_average',
    'over_training', 'pyplot', 'save'
]
