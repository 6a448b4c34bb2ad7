from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from mmgh.arguments import COUNT, FLAG


class MultilinearMap(nn.Module):
    r"""Conditions features on predictions by their outer product.

    The exact map :math:`f \otimes p` has ``in_channels * num_classes``
    entries. The randomised map :math:`(R_f f \odot R_p p) / \sqrt{d}` has
    ``d`` entries and the same inner products in expectation. ``R_f`` and
    ``R_p`` are standard normal, drawn once, and saved with the model.

    Args:
        in_channels (int): Size of a feature vector.
        num_classes (int): Number of classes.
        randomized (bool, optional): Which map. Defaults to None: randomised
            if the exact map has more than 4096 entries, as the paper says.
            The published code of GH always randomises.
        random_dim (int): ``d``. Defaults to 1024.

    Source: Conditional Adversarial Domain Adaptation (NeurIPS 2018), eq. 6.
    """

    def __init__(self,
                 in_channels: int,
                 num_classes: int,
                 randomized: bool | None = None,
                 random_dim: int = 1024) -> None:
        super().__init__()
        COUNT.check(
            in_channels=in_channels,
            num_classes=num_classes,
            random_dim=random_dim)
        FLAG.or_none().check(randomized=randomized)
        exact_dim = in_channels * num_classes
        if randomized is None:
            randomized = exact_dim > 4096
        self.randomized = randomized
        self.out_channels = random_dim if randomized else exact_dim
        if randomized:
            self.register_buffer('feature_projection',
                                 torch.randn(in_channels, random_dim))
            self.register_buffer('prediction_projection',
                                 torch.randn(num_classes, random_dim))

    def forward(self, features: Tensor, predictions: Tensor) -> Tensor:
        """Map ``(N, D)`` features and ``(N, C)`` probabilities to ``(N,
        out_channels)``."""
        if self.randomized:
            product = (features @ self.feature_projection) * (
                predictions @ self.prediction_projection)
            return product / math.sqrt(self.out_channels)
        return torch.einsum('nc,nd->ncd', predictions, features).flatten(1)
