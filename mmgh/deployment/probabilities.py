from __future__ import annotations

import torch
from torch import Tensor, nn

from mmgh.input_error import InputError


@torch.no_grad()
def probabilities_of(model: nn.Module, images: Tensor) -> Tensor:
    """Return what a classifier predicts, through its preprocessing.

    Args:
        model (nn.Module): An ``ImageClassifier``, in evaluation mode.
        images (Tensor): As its pipeline gives them, shape ``(N, C, H, W)``.

    Returns:
        Tensor: Shape ``(N, classes)``, on the CPU.

    Raises:
        InputError: If it is no classifier of one label an image.
    """
    predictions = model.test_step(dict(inputs=images))
    for sample in predictions[:1]:
        if 'pred_score' not in sample:
            raise InputError(
                '`model` should be a classifier, which gives scores of '
                f'classes, but a {type(model).__name__} gives a '
                f'{type(sample).__name__} of {sorted(sample.keys())}.')
    return torch.stack([sample.pred_score for sample in predictions]).cpu()
