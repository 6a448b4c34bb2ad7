from __future__ import annotations

from typing import Sequence

import torch
from torch import Tensor, nn

from mmgh.arguments import list_of, number


class GaussianKernel(nn.Module):
    r"""Sum of Gaussian kernels of several widths.

    .. math::
        k(x, y) = \sum_a \exp\left(-\frac{|x - y|^2}{2 a v}\right)

    where ``v`` is the mean squared distance over all pairs of the batch, each
    vector with itself included, as a constant. So the kernel does not change
    when all vectors are scaled.

    Args:
        alphas (Sequence[float]): The factors ``a``. Defaults to five powers
            of 2 from 1/8 to 2, as in TLlib.
        variance (float, optional): A fixed ``v``. Defaults to None: the mean
            squared distance.
    """

    def __init__(self,
                 alphas: Sequence[float] = (0.125, 0.25, 0.5, 1., 2.),
                 variance: float | None = None) -> None:
        super().__init__()
        list_of(number(above=0)).check(alphas=alphas)
        number(above=0).or_none().check(variance=variance)
        self.alphas = tuple(alphas)
        self.variance = variance

    def forward(self, x: Tensor) -> Tensor:
        """Kernel of all pairs, shape ``(N, N)``, for ``x`` of ``(N, D)``."""
        x = x.float()
        # Not by |x|^2 + |y|^2 - 2xy, which loses the distance of close pairs.
        distances = torch.cdist(
            x, x, compute_mode='donot_use_mm_for_euclid_dist').square()
        variance = self.variance
        if variance is None:
            # Not 0 where all vectors are equal.
            variance = distances.detach().mean().clamp(min=1e-12)
        return sum(
            torch.exp(-distances / (2 * alpha * variance))
            for alpha in self.alphas)
