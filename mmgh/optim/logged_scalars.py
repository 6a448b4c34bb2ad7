from __future__ import annotations

from itertools import combinations
from typing import Sequence

from torch import Tensor

from mmgh.gradients import pair_cosine, sub_gramian


def logged_scalars(
        compared: Sequence[tuple[Sequence[str], Tensor,
                                 Tensor]]) -> dict[str, Tensor]:
    """Return what is logged of groups of tasks.

    ``conflict`` (0 or 1), ``cosine`` and ``angle`` (degrees) of each two tasks
    and the weight of each task. Where several are alike, their names end in
    the names of the tasks.

    Args:
        compared (Sequence[tuple]): Names, Gramian and weights of each group.

    Returns:
        dict[str, Tensor]: Scalars of the Gramians' type.
    """
    scalars = {}
    for tasks, gramian, weights in compared:
        group = '_' + '_'.join(tasks) if len(compared) > 1 else ''
        for i, j in combinations(range(len(tasks)), 2):
            pair = f'_{tasks[i]}_{tasks[j]}' if len(tasks) > 2 else group
            cosine = pair_cosine(sub_gramian(gramian, [i, j]))
            scalars[f'conflict{pair}'] = (cosine < 0).to(cosine)
            scalars[f'cosine{pair}'] = cosine
            scalars[f'angle{pair}'] = cosine.arccos().rad2deg()
        for task, weight in zip(tasks, weights):
            scalars[f'weight_{task}{group}'] = weight
    return scalars
