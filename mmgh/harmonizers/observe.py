from __future__ import annotations

from torch import Tensor

from mmgh.registry import TASK_UTILS
from .harmonizer import Harmonizer


@TASK_UTILS.register_module()
class Observe(Harmonizer):
    """Leaves all weights at 1: gradients are compared, and nothing changes.

    A training without harmonization then logs conflict, angles and norms, and
    how often its steps oppose a task.

    Example:
        >>> optim_wrapper = dict(
        ...     type='mmgh.GHOptimWrapper',
        ...     harmonizer=dict(type='mmgh.Observe'))
    """

    def weigh(self, gramian: Tensor) -> Tensor:
        return gramian.new_ones(len(gramian))
