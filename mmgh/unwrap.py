"""The model itself, where it may be wrapped for several processes."""
from __future__ import annotations

from mmengine.model import is_model_wrapper
from torch import nn


def unwrap(model: nn.Module) -> nn.Module:
    """Return the model without its wrapper for several processes."""
    return model.module if is_model_wrapper(model) else model
