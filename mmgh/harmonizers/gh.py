from __future__ import annotations

from torch import Tensor

from mmgh.registry import TASK_UTILS
from .pair_harmonizer import PairHarmonizer


@TASK_UTILS.register_module()
class GH(PairHarmonizer):
    r"""GH: turns the obtuse angle between two gradients into an acute one.

    Each gradient drops its component along the other:

    .. math::
        h_1 = g_1 - \frac{g_1 \cdot g_2}{\|g_2\|^2} g_2, \quad
        h_2 = g_2 - \frac{g_1 \cdot g_2}{\|g_1\|^2} g_1

    so that ``h_1 + h_2 = w_1 g_1 + w_2 g_2`` with
    :math:`w_1 = 1 - g_1 \cdot g_2 / \|g_1\|^2` and
    :math:`w_2 = 1 - g_1 \cdot g_2 / \|g_2\|^2`. An angle ``t`` becomes
    ``180 - t``.

    The step ``h_1 + h_2`` opposes neither task: the loss of neither grows.
    For two tasks it is UPGrad's and PCGrad's. That is without a bound:
    ``w_1`` grows without end when the first gradient is much shorter than the
    second. ``max_weight`` of the optim wrapper bounds it, by default by 2, and
    then the step may oppose the task of the shorter gradient; ``opposed`` in
    the log tells how often. ``float('inf')`` is the formula above.

    Source: Gradient Harmonization in Unsupervised Domain Adaptation
    (TPAMI 2024), GH.

    Example:
        >>> optim_wrapper = dict(
        ...     type='mmgh.GHOptimWrapper', harmonizer=dict(type='mmgh.GH'))
    """

    min_weight = 1

    def conflict_weights(self, cosine: Tensor,
                         norm_ratio: Tensor) -> tuple[Tensor, Tensor]:
        return 1 - cosine * norm_ratio, 1 - cosine / norm_ratio
