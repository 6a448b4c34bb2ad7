"""Drawings of runs: ``draw_*`` fills axes, ``*_figure`` makes a picture.

Here is what all share; the rest is in modules by subject. Importing it needs
matplotlib, and changes nothing of it.
"""
from .curves import (SMOOTHING, draw_seeds, draw_smooth, moving_average,
                     over_training, smoothed)
from .figure import (as_label, legend, legend_above, names_as_they_are, save,
                     subplots)
from .palette import COLOURS, MARKERS

__all__ = [
    'COLOURS', 'MARKERS', 'SMOOTHING', 'as_label', 'draw_seeds', 'draw_smooth',
    'legend', 'legend_above', 'moving_average', 'names_as_they_are',
    'over_training', 'save', 'smoothed', 'subplots'
]
