"""Images as a person sees them."""
from __future__ import annotations

from typing import Sequence

import numpy as np
from torch import Tensor, nn

from mmgh.config_data import loads_files
from mmgh.input_error import InputError


def visible(inputs: Tensor, preprocessor: nn.Module,
            pipeline: Sequence[dict]) -> np.ndarray:
    """Undo the normalisation of images, and the order BGR of files.

    Args:
        inputs (Tensor): As they enter the network, shape ``(N, C, H, W)``; C
            is 1 or 3.
        preprocessor (nn.Module): Of one domain, which normalised them.
        pipeline (Sequence[dict]): Config of the steps before it.

    Returns:
        np.ndarray: RGB, uint8, shape ``(N, H, W, 3)``.

    Raises:
        InputError: If they are frozen features.
    """
    if inputs.dim() != 4:
        raise InputError('There should be images to show, but the network '
                         f'gets features, of shape {tuple(inputs.shape)}.')
    if hasattr(preprocessor, 'mean'):
        inputs = inputs * preprocessor.std + preprocessor.mean
    if loads_files(pipeline) and not getattr(preprocessor, 'to_rgb', False):
        inputs = inputs.flip(1)
    images = inputs.round().clamp(0, 255).permute(0, 2, 3, 1).byte()
    return images.expand(-1, -1, -1, 3).numpy()
