from __future__ import annotations

import torch
from mmengine.optim import AmpOptimWrapper
from torch import Tensor

from mmgh.input_error import InputError
from mmgh.registry import OPTIM_WRAPPERS
from .harmonization_mixin import HarmonizationMixin


@OPTIM_WRAPPERS.register_module()
class GHAmpOptimWrapper(HarmonizationMixin, AmpOptimWrapper):
    """:class:`GHOptimWrapper` for automatic mixed precision on a GPU.

    Gradients are compared in float32, and without the loss scale. Where they
    overflow, the step is skipped and the scale lowered, as in the parent.

    Args:
        **kwargs: Arguments of :class:`GHOptimWrapper`, and ``loss_scale``,
            ``dtype`` (``'float16'`` or ``'bfloat16'``) and ``use_fsdp`` of
            :class:`mmengine.optim.AmpOptimWrapper`.

    Example:
        >>> optim_wrapper = dict(
        ...     type='mmgh.GHAmpOptimWrapper',
        ...     dtype='bfloat16',
        ...     harmonizer=dict(type='mmgh.GHPlusPlus'),
        ...     optimizer=dict(type='SGD', lr=0.01, momentum=0.9))
    """

    def __init__(self, *args, **kwargs) -> None:
        try:
            super().__init__(*args, **kwargs)
        except AssertionError as error:  # as MMEngine tells it
            raise InputError('`optim_wrapper.type` should be '
                             "'mmgh.GHOptimWrapper' here: "
                             f'{error}') from error

    def _loss_scale(self, loss: Tensor) -> Tensor:
        return self.loss_scaler.scale(torch.ones_like(loss))
