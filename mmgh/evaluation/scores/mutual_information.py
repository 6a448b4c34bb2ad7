from __future__ import annotations

import torch
from torch import Tensor

from .entropy import entropy


def mutual_information(probabilities: Tensor) -> Tensor:
    r"""Compute the mutual information of images and predicted classes; higher
    is better.

    .. math::
        H(\bar p) - \frac{1}{N} \sum_i H(p_i), \quad
        \bar p = \frac{1}{N} \sum_i p_i

    Predictions should be certain, and of all classes. So a target whose
    classes are of very different sizes looks worse than it is.

    Args:
        probabilities (Tensor): Of the classes, shape ``(N, C)``.

    Returns:
        Tensor: A scalar from 0 to :math:`\log C`, in nats.

    Source: Discriminative Clustering by Regularized Information Maximization
    (NeurIPS 2010).
    """
    of_mean = torch.special.entr(probabilities.mean(dim=0)).sum()
    return of_mean - entropy(probabilities)
