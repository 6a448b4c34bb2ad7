from __future__ import annotations

from math import sqrt

import torch
from torch import Tensor


def nuclear_norm(probabilities: Tensor) -> Tensor:
    r"""Divide the nuclear norm of the predictions by its maximum; higher is
    better.

    .. math::
        \frac{\lVert P \rVert_*}{\sqrt{N \min(N, C)}}

    The sum of the singular values of :math:`P` is largest where predictions
    are certain and all classes equally frequent. The paper divides it by
    :math:`N`, which for equally good predictions makes it fall with
    :math:`N`; divided by its maximum it is the same for any
    :math:`N \ge C`.

    Args:
        probabilities (Tensor): Of the classes, shape ``(N, C)``.

    Returns:
        Tensor: A scalar in (0, 1].

    Source: Towards Discriminability and Diversity: Batch Nuclear-norm
    Maximization under Label Insufficient Situations (CVPR 2020).
    """
    norm = torch.linalg.matrix_norm(probabilities, ord='nuc')
    return norm / sqrt(len(probabilities) * min(probabilities.shape))
