"""How often a step opposes a task, harmonized or not.

    python tools/benchmarks/opposed_steps.py

Random pairs of conflicting gradients: the angle is uniform, the ratio of the
norms log-uniform. A step opposes a task if it has a negative product with the
gradient of it, so that the loss of the task grows. The last column is how far
the step is from the plain sum, relative to that, on average.
"""
from __future__ import annotations

import argparse
import importlib.util
import math
from typing import Callable, NamedTuple

# Before anything of OpenMMLab: it may repair an import of theirs.
import mmgh  # noqa: F401

# isort: split
import torch
from torch import Tensor

from mmgh.optim.logged_scalars import Compared, logged_scalars
from mmgh.optim.task_weighting import TaskWeighting

TASKS = ('first', 'second')


def nearest(gramian: Tensor) -> Tensor:
    """Lengthen what the plain sum opposes until it is at a right angle to it:
    torchjd's DualProj, without the tolerance of its solver."""
    return 1 + (-gramian.sum(dim=1) / gramian.diagonal()).clamp(min=0)


GHPP = dict(type='mmgh.GHPlusPlus')
PUBLISHED = dict(GHPP, form='published')
# By what a table calls it: the harmonizer and its bound.
FORMS: dict[str, tuple[dict | Callable, float | None]] = {
    'plain sum': (dict(type='mmgh.Observe'), None),
    'GH': (dict(type='mmgh.GH'), None),
    'GH, `max_weight=inf`': (dict(type='mmgh.GH'), math.inf),
    'GH++': (GHPP, None),
    'GH++, `max_weight=inf`': (GHPP, math.inf),
    "GH++, `form='published'`, `max_weight=inf`": (PUBLISHED, math.inf),
    'nearest to the plain sum that opposes none': (nearest, math.inf),
}
OF_TORCHJD = {
    'UPGrad of torchjd, `max_weight=inf`':
    (dict(type='mmgh.TorchJD', name='UPGrad'), math.inf),
}


class Share(NamedTuple):
    """What steps of one form do."""

    opposed: float
    """Share of the steps that oppose a task."""

    change: float
    """Mean distance from the plain sum, relative to its norm."""


def random_gramians(count: int, angles: tuple[float, float],
                    ratio: float) -> Tensor:
    """Inner products of pairs of gradients, shape ``(count, 2, 2)``, float64.

    Args:
        count (int): How many.
        angles (tuple[float, float]): The least and the largest, in degrees.
        ratio (float): The largest of the two norms; the least is its inverse.
    """
    draws = torch.rand(count, 2, dtype=torch.float64)
    low, high = (math.radians(angle) for angle in angles)
    angle = low + (high - low) * draws[:, 0]
    norm = ratio**(2 * draws[:, 1] - 1)  # of the second; the first is 1
    gradients = torch.zeros(count, 2, 2, dtype=torch.float64)
    gradients[:, 0, 0] = 1
    gradients[:, 1] = norm[:, None] * torch.stack(
        [angle.cos(), angle.sin()], dim=1)
    return gradients @ gradients.transpose(1, 2)


def share(harmonizer: dict | Callable, max_weight: float | None,
          gramians: Tensor) -> Share:
    """Measure one form; ``opposed`` is what a training logs."""
    weighting = TaskWeighting(harmonizer, None, max_weight)
    opposed, change = [], []
    for gramian in gramians:
        (tasks, weigh), = weighting.groups(TASKS, None)
        weights = weighting.weights(weigh, gramian)
        scalars = logged_scalars([Compared(tasks, gramian, weights)])
        opposed.append(scalars['opposed'])
        change.append((_square(gramian, weights - 1) / gramian.sum()).sqrt())
    return Share(*(torch.stack(v).mean().item() for v in (opposed, change)))


def _square(gramian: Tensor, weights: Tensor) -> Tensor:
    """Squared norm of a sum of the gradients."""
    return (weights @ gramian @ weights).clamp(min=0)


def table(gramians: Tensor, forms: dict) -> str:
    """Markdown, one line per form."""
    lines = ['| step | opposes a task (%) | change of the plain sum |',
             '| --- | ---: | ---: |']
    for name, (harmonizer, max_weight) in forms.items():
        found = share(harmonizer, max_weight, gramians)
        lines.append(
            f'| {name} | {100 * found.opposed:.0f} | {found.change:.2f} |')
    return '\n'.join(lines)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add('--pairs', type=int, default=10000, help='pairs of gradients')
    add('--angles', type=float, nargs=2, default=(90., 130.), help='degrees')
    add('--ratio', type=float, default=10., help='largest ratio of the norms')
    add('--seed', type=int, default=0)
    args = parser.parse_args()
    if not (args.pairs >= 1 and args.ratio >= 1
            and 90 <= args.angles[0] <= args.angles[1] < 180):
        parser.error('--pairs and --ratio should be at least 1, and --angles '
                     'two from 90 to below 180, the smaller first, but got '
                     f'{args.pairs}, {args.ratio} and {args.angles}.')
    return args


def main() -> None:
    args = parse_args()
    torch.manual_seed(args.seed)
    forms = dict(FORMS)
    if importlib.util.find_spec('torchjd') is None:
        print('torchjd is not installed: no rows for it.')
    else:
        forms.update(OF_TORCHJD)
    print(table(random_gramians(args.pairs, args.angles, args.ratio), forms))


if __name__ == '__main__':
    main()
