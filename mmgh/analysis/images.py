"""Images as a person sees them."""
from __future__ import annotations

import numpy as np
from torch import Tensor, nn


def displayable(image: Tensor, preprocessor: nn.Module) -> np.ndarray:
    """Pixels of what a pipeline yields, before it is normalised.

    Args:
        image (Tensor): Shape ``(C, H, W)``, from 0 to 255; C is 1 or 3.
        preprocessor (nn.Module): Of the model; a ``ClsDataPreprocessor`` says
            whether it turns BGR into RGB.

    Returns:
        np.ndarray: Shape ``(H, W, 3)``, RGB, uint8.
    """
    pixels = image.detach().cpu().float().clamp(0, 255).numpy()
    pixels = pixels.astype(np.uint8).transpose(1, 2, 0)
    if pixels.shape[2] == 1:
        return np.repeat(pixels, 3, axis=2)
    return pixels[..., ::-1] if getattr(preprocessor, 'to_rgb',
                                        False) else pixels
