from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def domain_loss(scores: Tensor, source_weights: Tensor,
                target_weights: Tensor) -> tuple[Tensor, Tensor]:
    """Measure how a discriminator tells source (1) from target (label 0).

    Args:
        scores (Tensor): Logits of being source, first of N source samples,
            then of M target samples; shape ``(N + M, )``.
        source_weights (Tensor): Of sum 1, shape ``(N, )``.
        target_weights (Tensor): Of sum 1, shape ``(M, )``.

    Returns:
        tuple[Tensor, Tensor]: Mean of both domains' weighted binary
        cross-entropy, and the accuracy in percent.
    """
    is_source = torch.zeros_like(scores)
    is_source[:len(source_weights)] = 1
    bce = F.binary_cross_entropy_with_logits(
        scores, is_source, reduction='none')
    weights = torch.cat([source_weights, target_weights])
    accuracy = ((scores > 0) == (is_source > 0)).float().mean() * 100
    return (weights * bce).sum() / 2, accuracy
