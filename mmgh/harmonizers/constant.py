from __future__ import annotations

import math
from typing import Mapping, Sequence

from torch import Tensor

from mmgh.arguments import dict_of, number
from mmgh.input_error import InputError
from mmgh.registry import TASK_UTILS
from .harmonizer import Harmonizer


@TASK_UTILS.register_module()
class Constant(Harmonizer):
    """Weighs tasks by constants: a control for what other harmonizers do.

    The average weights of another harmonizer show what its choice of moments
    adds. Weights that differ from 1 by less than can matter, such as 1.001,
    are a null control: they change nothing but the rounding of a training,
    which then ends elsewhere all the same.

    Args:
        weights (Mapping[str, float]): By the names of tasks; 1 for others.

    Example:
        >>> optim_wrapper = dict(
        ...     type='mmgh.GHOptimWrapper',
        ...     harmonizer=dict(
        ...         type='mmgh.Constant', weights=dict(alignment=1.001)))
    """

    max_weight = math.inf

    def __init__(self, weights: Mapping[str, float]) -> None:
        dict_of(number()).check(weights=weights)
        self.weights = dict(weights)

    def prepare(self, tasks: Sequence[str]) -> None:
        unknown = sorted(set(self.weights) - set(tasks))
        if unknown:
            raise InputError(f'`weights` should name some of the tasks '
                             f'{tuple(tasks)}, but got {unknown}.')
        self.tasks = tuple(tasks)

    def weigh(self, gramian: Tensor) -> Tensor:
        return gramian.new_tensor(
            [self.weights.get(task, 1.) for task in self.tasks])
