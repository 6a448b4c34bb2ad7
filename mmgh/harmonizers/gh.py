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

    ``w_1`` grows without bound when the first gradient is much shorter than
    the second; ``max_weight`` of the optim wrapper bounds it.

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
