from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor

from mmgh.gradients import pair_cosine
from .harmonizer import Harmonizer


class PairHarmonizer(Harmonizer):
    """Weighs two tasks whose gradients conflict.

    What all harmonizers of a pair share: without conflict (an angle of at
    most 90 degrees, a zero gradient, or a Gramian that is not finite) both
    weights are exactly 1. A subclass says what happens otherwise.

    The weights do not change when both losses are multiplied by one constant.
    """

    num_tasks = 2

    max_weight = 2.
    """The largest that GH gives to equally long gradients. Larger ones would
    undo what makes a gradient short, such as a reversal warm-up."""

    def weigh(self, gramian: Tensor) -> Tensor:
        cosine = pair_cosine(gramian)
        first, second = gramian.diagonal().clamp(min=0).sqrt()
        weights = torch.stack([
            torch.as_tensor(weight).to(gramian)
            for weight in self.conflict_weights(cosine, second / first)
        ])
        return torch.where(cosine < 0, weights, 1.)

    @abstractmethod
    def conflict_weights(self, cosine: Tensor,
                         norm_ratio: Tensor) -> tuple[Tensor, Tensor]:
        """Return the weights in case of conflict; ignored elsewhere.

        Args:
            cosine (Tensor): Scalar in [-1, 0).
            norm_ratio (Tensor): Scalar, norm of gradient 2 over that of
                gradient 1.

        Returns:
            tuple[Tensor, Tensor]: Two scalars, or numbers.
        """
