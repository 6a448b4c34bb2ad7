"""Whether there was anything to harmonize in a training, from its log."""
from __future__ import annotations

from typing import NamedTuple, Sequence

import numpy as np
import torch
from scipy.stats import t as student

from mmgh.registry import TASK_UTILS
from .conflict import PairHistory

REFERENCE = 'cls'
# Means of so many parts of a training tell how sure its mean is: comparisons
# that follow each other are alike.
BLOCKS = 10
# Harmonizers look at no more comparisons than these, evenly spaced.
MAX_COMPARISONS = 1000
# Degrees from a right angle below which weights stay within a few percent.
NEARLY_RIGHT = 3.
# What RelativeClip leaves of an alignment that is too strong, at most, on the
# mean of a third of the training. It is told from what it left of Office-31's
# features: 0.8 to 1 at the strength of the configs, 0.1 to 0.4 at ten times.
CLIPPED = 0.5

HARMONIZERS = {
    'GH': dict(type='mmgh.GH'),
    'GH++': dict(type='mmgh.GHPlusPlus'),
    'RelativeClip': dict(type='mmgh.RelativeClip', reference=REFERENCE),
}


class Effect(NamedTuple):
    """What a harmonizer would have done to N steps of a training."""

    weights: np.ndarray
    """Of the two tasks, shape ``(N, 2)``."""
    changes: np.ndarray
    """Length of what it adds to the plain step, as a share of the length of
    this step, shape ``(N, )``."""


class Diagnosis(NamedTuple):
    """Of a pair of tasks in a training."""

    angle: tuple[float, float, float]
    """Mean and 95 % interval, degrees."""
    angles: list[float]
    """Means early, in the middle, late."""
    conflict_rate: float
    """From 0 to 1."""
    opposed_rate: float
    """How often the plain sum of both gradients opposes one of them, from 0
    to 1; NaN where the log has no norms."""
    effects: dict[str, Effect]
    """By harmonizer; empty where the log has no norms."""

    @property
    def has_conflict(self) -> bool:
        """Whether the gradients oppose each other by more than a little,
        beyond chance, in the whole training or late."""
        return self.angle[1] > 90 and (
            max(self.angle[0], self.angles[2]) > 90 + NEARLY_RIGHT)

    @property
    def is_too_strong(self) -> bool:
        """Whether RelativeClip would have left less than half of it."""
        clip = self.effects.get('RelativeClip')
        return clip is not None and min(thirds(
            clip.weights.min(axis=1))) < CLIPPED


def diagnose(pair: PairHistory) -> Diagnosis:
    """Tell what there was to harmonize between two tasks.

    Harmonizers are asked what they would have done to the gradients that the
    log tells of: their norms and the angle between them. These are of the
    training as it was, not as it would have become.

    Args:
        pair (PairHistory): Of one run, with three comparisons or more.
    """
    gramians = gramians_of(pair)
    blocks = [
        part.mean()
        for part in np.array_split(pair.angles, min(BLOCKS, len(pair.angles)))
    ]
    if gramians is None:
        opposed, effects = float('nan'), {}
    else:
        products = gramians.sum(axis=2)  # of each gradient with the sum
        opposed = float((products < 0).any(axis=1).mean())
        effects = {
            name: effect(config, gramians, pair.tasks)
            for name, config in HARMONIZERS.items()
            if config.get('reference', pair.tasks[0]) in pair.tasks
        }
    return Diagnosis(
        _interval(blocks), thirds(pair.angles), float(pair.conflicts.mean()),
        opposed, effects)


def thirds(values: np.ndarray) -> list[float]:
    """Return the means of N values early, in the middle, and late."""
    return [float(part.mean()) for part in np.array_split(values, 3)]


def gramians_of(pair: PairHistory) -> np.ndarray | None:
    """Return inner products of the gradients at up to 1000 comparisons, shape
    ``(N, 2, 2)``; None where the log has no norms."""
    if not pair.norms:
        return None
    count = len(pair.angles)
    chosen = np.linspace(0, count - 1, min(count, MAX_COMPARISONS)).astype(int)
    first, second = (pair.norms[task][chosen] for task in pair.tasks)
    product = first * second * np.cos(np.radians(pair.angles[chosen]))
    return np.stack([first**2, product, product, second**2],
                    axis=1).reshape(-1, 2, 2)


def effect(config: dict, gramians: np.ndarray,
           tasks: Sequence[str]) -> Effect:
    """Ask a harmonizer what it would have done.

    Args:
        config (dict): Of the harmonizer.
        gramians (np.ndarray): Shape ``(N, 2, 2)``.
        tasks (Sequence[str]): Names of the two tasks.
    """
    harmonizer = TASK_UTILS.build(config)
    harmonizer.prepare(tasks)
    weights = torch.stack([
        harmonizer(gramian).clamp(-2, 2)  # as the optim wrapper bounds them
        for gramian in torch.from_numpy(gramians)
    ]).numpy()
    plain = gramians.sum(axis=(1, 2))
    added = np.einsum('ni,nij,nj->n', weights - 1, gramians, weights - 1)
    changes = np.sqrt(np.maximum(added, 0) / np.maximum(plain, 1e-30))
    return Effect(weights, changes)


def _interval(blocks: Sequence[float]) -> tuple[float, float, float]:
    mean = float(np.mean(blocks))
    if len(blocks) < 2:
        return mean, float('nan'), float('nan')
    half = float(
        student.ppf(0.975, len(blocks) - 1) * np.std(blocks, ddof=1) /
        len(blocks)**0.5)
    return mean, mean - half, mean + half
