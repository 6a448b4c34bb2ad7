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
    empty if it has none, as a loss, or none that is known."""
    *_, item = parts = name.split('/')
    if item in UNITS:
        return UNITS[item]
    return '%' if 'accuracy' in parts else ''
