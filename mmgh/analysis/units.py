"""Units of what is logged, for the axes of plots."""
from __future__ import annotations

# By the last part of a name.
UNITS = {
    'entropy': 'nats',
    'mutual_information': 'nats',
    'nuclear_norm': 'at most 1',
    'snd': 'nats',
    'dev': 'nats',
    'precision': '%',
    'recall': '%',
    'f1-score': '%',
    'mAP': '%',
}


def unit_of(name: str) -> str:
    """Return the unit of a logged scalar, such as ``oracle/accuracy/top1``;
    empty if it is not known."""
    *_, item = parts = name.split('/')
    if item in UNITS:
        return UNITS[item]
    if 'accuracy' in parts:
        return '%'
    return 'no unit' if 'loss' in item else ''
