from __future__ import annotations

import math

import torch
from torch import Tensor

from mmgh.arguments import number, one_of
from mmgh.registry import TASK_UTILS
from .pair_harmonizer import PairHarmonizer

# Weights of the rotation grow like 1 / sin(angle). A Gramian in float32
# cannot tell an angle closer to 180 degrees than this from 180 degrees.
_MAX_ANGLE = math.pi - 1e-3


@TASK_UTILS.register_module()
class GHPlusPlus(PairHarmonizer):
    r"""GH++: turns the obtuse angle into exactly a right angle.

    An angle ``t`` exceeds the right angle by ``e = t - 90`` degrees. Gradient
    1 is turned towards gradient 2 by ``beta = harmonic_range * e``, gradient 2
    towards gradient 1 by the rest, ``gamma``. That is the least total rotation
    that ends the conflict between them. With ``r`` the norm of gradient 2 over
    that of gradient 1:

    .. math::
        w_1 = (\sin(t - \beta) + r \sin\gamma) / \sin t, \quad
        w_2 = (\sin(t - \gamma) + \sin\beta / r) / \sin t

    The two turned gradients are orthogonal and keep their norms. That is
    said of them, not of the step: their sum may oppose the task of the
    shorter of the original gradients, whose loss then grows. ``opposed`` in
    the log tells how often; :class:`GH` without a bound never does.

    Args:
        harmonic_range (float): Share of the rotation that gradient 1 takes,
            in [0, 1]. Defaults to 0.5.
        form (str): ``'rotation'`` is the above. ``'published'`` is the
            angle-only approximation of the published code,
            :math:`w_1 = 1 + 2 \sin(\beta / 2)` and
            :math:`w_2 = 1 - 2 \sin(\gamma / 2)`; it favours task 1, even
            for equally long gradients, and does not promise the right angle.
            Defaults to ``'rotation'``.

    Source: Gradient Harmonization in Unsupervised Domain Adaptation
    (TPAMI 2024), GH++.

    Example:
        >>> optim_wrapper = dict(
        ...     type='mmgh.GHOptimWrapper',
        ...     harmonizer=dict(type='mmgh.GHPlusPlus', harmonic_range=0.5))
    """

    def __init__(self,
                 harmonic_range: float = 0.5,
                 form: str = 'rotation') -> None:
        forms = dict(
            rotation=self._rotation_weights, published=self._published_weights)
        number(at_least=0, at_most=1).check(harmonic_range=harmonic_range)
        one_of(*forms).check(form=form)
        self.harmonic_range = harmonic_range
        self._weights = forms[form]
        # The published form stays bounded up to 180 degrees, and makes
        # gradient 2 shorter.
        self._max_angle = _MAX_ANGLE if form == 'rotation' else math.pi
        self.min_weight = 1 if form == 'rotation' else None

    def conflict_weights(self, cosine: Tensor,
                         norm_ratio: Tensor) -> tuple[Tensor, Tensor]:
        angle = torch.arccos(cosine).clamp(max=self._max_angle)
        excess = angle - math.pi / 2
        return self._weights(angle, self.harmonic_range * excess,
                             (1 - self.harmonic_range) * excess, norm_ratio)

    @staticmethod
    def _rotation_weights(angle: Tensor, beta: Tensor, gamma: Tensor,
                          norm_ratio: Tensor) -> tuple[Tensor, Tensor]:
        sin = torch.sin(angle)
        first = torch.sin(angle - beta) + norm_ratio * torch.sin(gamma)
        second = torch.sin(angle - gamma) + torch.sin(beta) / norm_ratio
        return first / sin, second / sin

    @staticmethod
    def _published_weights(angle: Tensor, beta: Tensor, gamma: Tensor,
                           norm_ratio: Tensor) -> tuple[Tensor, Tensor]:
        return 1 + 2 * torch.sin(beta / 2), 1 - 2 * torch.sin(gamma / 2)
