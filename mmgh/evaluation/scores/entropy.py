from __future__ import annotations

import torch
from torch import Tensor


def entropy(probabilities: Tensor) -> Tensor:
    r"""Compute the mean entropy of the predictions; lower is better.

    .. math::
        \frac{1}{N} \sum_i H(p_i), \quad
        H(p) = -\sum_c p_c \log p_c

    It is 0 also for a classifier that calls everything one class.

    Args:
        probabilities (Tensor): Of the classes, shape ``(N, C)``.

    Returns:
        Tensor: A scalar from 0 to :math:`\log C`, in nats.

    Source: Minimal-Entropy Correlation Alignment for Unsupervised Deep Domain
    Adaptation (ICLR 2018), which chooses a weight by it.
    """
    return torch.special.entr(probabilities).sum(dim=1).mean()
