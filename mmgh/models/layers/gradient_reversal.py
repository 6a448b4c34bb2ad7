from __future__ import annotations

import torch
from torch import Tensor, nn

from mmgh.arguments import COUNT, FLAG, number


class _ReverseGradient(torch.autograd.Function):

    @staticmethod
    def forward(ctx, x: Tensor, coefficient: Tensor) -> Tensor:
        ctx.coefficient = coefficient
        return x.view_as(x)

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor, None]:
        return -ctx.coefficient.to(grad.dtype) * grad, None


class GradientReversal(nn.Module):
    r"""Identity whose gradient is multiplied by :math:`-\lambda`.

    The coefficient warms up over training iterations ``i``:

    .. math::
        \lambda = max \cdot \left(\frac{2}{1 + \exp(-\alpha i / n)} - 1\right)

    The iteration is a buffer, so it is saved with the model and goes on where
    it was when training resumes. A UDA head calls :meth:`advance` of its
    layers once per training iteration; whoever owns one elsewhere has to.

    Args:
        alpha (float): Steepness. Defaults to 10.
        warmup_iters (int): ``n``; the published GH and CDAN code uses 10000
            with ``alpha=10``, TLlib 1000 with ``alpha=1``. Defaults to 10000.
        max_coefficient (float): Limit of the coefficient. Defaults to 1.
        counts_first (bool): Whether an iteration counts before it computes,
            as in the published code of CDAN, GVB and GH. If not, as in TLlib,
            the first step aligns nothing: its coefficient is 0. Defaults to
            False.

    Source: Ganin and Lempitsky (ICML 2015), section 3 and 4.
    """

    def __init__(self,
                 alpha: float = 10.,
                 warmup_iters: int = 10000,
                 max_coefficient: float = 1.,
                 counts_first: bool = False) -> None:
        super().__init__()
        number(above=0).check(alpha=alpha, max_coefficient=max_coefficient)
        COUNT.check(warmup_iters=warmup_iters)
        FLAG.check(counts_first=counts_first)
        self.alpha = alpha
        self.warmup_iters = warmup_iters
        self.max_coefficient = max_coefficient
        self.counts_first = counts_first
        self.register_buffer('iteration', torch.zeros((), dtype=torch.long))

    @property
    def coefficient(self) -> Tensor:
        """Scalar in [0, ``max_coefficient``)."""
        progress = (self.iteration + self.counts_first) / self.warmup_iters
        return self.max_coefficient * torch.tanh(self.alpha * progress / 2)

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x``, any shape."""
        return _ReverseGradient.apply(x, self.coefficient)

    def restart_training(self) -> None:
        """Go back to iteration 0, for weights that another training left."""
        self.iteration.zero_()

    def advance(self) -> None:
        """Count one training iteration."""
        self.iteration += 1
