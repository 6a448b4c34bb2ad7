"""What can be told apart by the colour-blind."""
from __future__ import annotations

# Okabe and Ito's colours.
COLOURS = [
    '#000000', '#E69F00', '#56B4E9', '#009E73', '#CC79A7', '#D55E00',
    '#0072B2', '#F0E442'
]
# Those of one colour among CLASS_COLOURS do not look alike.
MARKERS = ['o', 's', '^', 'D', 'v', '<', 'X', '*', '>', 'P']
LINES = ['-', '--', ':', '-.']
DOMAINS = dict(
    source=dict(color='#0072B2', marker='o'),
    target=dict(color='#D55E00', marker='^'))
UNKNOWN = '#999999'
# All but yellow, which small hollow markers would lose on white.
CLASS_COLOURS = COLOURS[:7]
# Neither number divides the other: that many classes look different.
CLASS_STYLES = len(CLASS_COLOURS) * len(MARKERS)


def class_style(label: int) -> dict[str, str]:
    """Return colour and marker of a class."""
    return dict(
        color=CLASS_COLOURS[label % len(CLASS_COLOURS)],
        marker=MARKERS[label % len(MARKERS)])
