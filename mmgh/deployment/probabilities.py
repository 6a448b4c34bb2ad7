from __future__ import annotations

import torch
from torch import Tensor, nn


@torch.no_grad()
def probabilities_of(model: nn.Module, images: Tensor) -> Tensor:
    """Return what a classifier predicts, through its preprocessing.

    Args:
        model (nn.Module): An ``ImageClassifier``, in evaluation mode.
        images (Tensor): As its pipeline gives them, shape ``(N, C, H, W)``.

    Returns:
        Tensor: Shape ``(N, classes)``, on the CPU.
    """
    predictions = model.test_step(dict(inputs=images))
    return torch.stack([sample.pred_score for sample in predictions]).cpu()
