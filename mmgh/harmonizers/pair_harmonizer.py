from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from mmgh.gramian import pair_cosine


class PairHarmonizer(ABC):
    """Weights of two tasks whose gradients conflict.

    What all harmonizers of a pair share: without conflict (an angle of at
    most 90 degrees, a zero gradient, or a Gramian that is not finite) both
    weights are exactly 1. A subclass says what happens otherwise.
    """

    num_tasks = 2
    """A model with more tasks has to name pairs of them."""

    max_weight = 2.
    """What the optim wrapper bounds the weights by unless it is told
    otherwise: the largest that GH gives to equally long gradients. Larger ones
    would undo what makes a gradient short, such as a reversal warm-up."""

    def __call__(self, gramian: Tensor) -> Tensor:
        """Weigh the two tasks.

        Args:
            gramian (Tensor): Inner products of the two task gradients, shape
                ``(2, 2)``, any floating-point type.

        Returns:
            Tensor: Weights of the two losses, shape ``(2, )``, without
            gradient. They do not change when both losses are multiplied by
            one constant.
        """
        if gramian.shape != (2, 2):
            raise ValueError('`gramian` should have the shape (2, 2), but got '
                             f'{tuple(gramian.shape)}.')
        gramian = gramian.detach()
        cosine = pair_cosine(gramian)
        first, second = gramian.diagonal().clamp(min=0).sqrt()
        weights = torch.stack(self.conflict_weights(cosine, second / first))
        return torch.where(cosine < 0, weights, torch.ones_like(weights))

    @abstractmethod
    def conflict_weights(self, cosine: Tensor,
                         norm_ratio: Tensor) -> tuple[Tensor, Tensor]:
        """Weights in case of conflict; ignored, so free, elsewhere.

        Args:
            cosine (Tensor): Scalar in [-1, 0).
            norm_ratio (Tensor): Scalar, norm of gradient 2 over that of
                gradient 1.

        Returns:
            tuple[Tensor, Tensor]: Two scalars.
        """
