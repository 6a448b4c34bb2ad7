from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from mmgh.arguments import number

_SIMILARITIES_AT_A_TIME = 2**24


def soft_neighborhood_density(probabilities: Tensor,
                              temperature: float = 0.05) -> Tensor:
    r"""Compute SND, how many close neighbours an image has; higher is better.

    .. math::
        \frac{1}{N} \sum_i H(q_i), \quad
        q_i = \operatorname{softmax}_{j \ne i}
        \left(\frac{\hat p_i \cdot \hat p_j}{\tau}\right)

    where :math:`\hat p` are the predictions over their Euclidean norm. It is
    highest for a classifier that calls everything one class, and grows with
    the logarithm of :math:`N`: compare it on the same images only.

    Rows of the :math:`N \times N` similarities are computed some at a time,
    so memory grows with :math:`N` only; time grows with its square, to about
    a minute for 50000 images on one CPU core.

    Args:
        probabilities (Tensor): Of the classes, shape ``(N, C)``.
        temperature (float): :math:`\tau`. Defaults to 0.05.

    Returns:
        Tensor: A scalar from 0 to :math:`\log (N - 1)`, in nats; 0 for an
        image that has no neighbour.

    Source: Tune it the Right Way: Unsupervised Validation of Domain Adaptation
    via Soft Neighborhood Density (ICCV 2021).
    """
    number(above=0).check(temperature=temperature)
    size = len(probabilities)
    if size == 1:
        return probabilities.new_zeros(())
    points = F.normalize(probabilities, dim=1)
    rows = max(1, _SIMILARITIES_AT_A_TIME // size)
    total = probabilities.new_zeros((), dtype=torch.float64)
    for first in range(0, size, rows):
        similarities = points[first:first + rows] @ points.T / temperature
        # The diagonal of these rows: what an image is to itself.
        similarities.diagonal(first).fill_(-torch.inf)
        neighbours = similarities.softmax(dim=1)
        total += torch.special.entr(neighbours).sum(dtype=torch.float64)
    return total / size
