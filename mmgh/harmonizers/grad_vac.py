from __future__ import annotations

import torch
from torch import Tensor

from mmgh.arguments import number
from mmgh.gradients import pair_cosine
from mmgh.registry import TASK_UTILS
from .harmonizer import Harmonizer


@TASK_UTILS.register_module()
class GradVac(Harmonizer):
    """Gradient Vaccine: gives two gradients back the angle they used to have.

    If their cosine is below its moving average, each gets a share of the other
    and with it the average as its cosine to it. The first step is GH's.

    Args:
        beta (float): Share of a step in the average. Defaults to 0.5.

    Source: Gradient Vaccine (ICLR 2021); equal to torchjd for two tasks.

    Example:
        >>> harmonizer = dict(type='mmgh.GradVac', beta=0.01)
    """

    num_tasks = 2
    min_weight = 1
    memory = ('average', )

    def __init__(self, beta: float = 0.5) -> None:
        number(at_least=0, at_most=1).check(beta=beta)
        self.beta, self.average = beta, torch.zeros(())

    def weigh(self, gramian: Tensor) -> Tensor:
        norms = gramian.diagonal().sqrt()
        cosine, old = pair_cosine(gramian), self.average.to(gramian)
        sine, old_sine = (1 - torch.stack([cosine, old]).square()).sqrt()
        share = (old * sine / old_sine - cosine) * norms.flip(0) / norms
        is_known = gramian.isfinite().all() & (norms > 0).all()
        self.average = old.lerp(cosine, self.beta).where(is_known, old)
        return 1 + torch.where(is_known & (cosine < old), share, 0.)
