from __future__ import annotations

from mmengine.model import BaseModule
from torch import Tensor

from mmgh.input_error import InputError
from mmgh.registry import MODELS


@MODELS.register_module()
class PassOn(BaseModule):
    """The backbone of a network that starts from frozen features.

    It hands them on to the neck as they are, in place of the backbone that
    made them; see :class:`mmgh.datasets.FeatureFolder`.

    Args:
        init_cfg (dict, optional): Initialisation. Defaults to None: it has no
            parameters.

    Example:
        >>> backbone = dict(type='mmgh.PassOn')
        >>> neck = dict(type='mmgh.Bottleneck', in_channels=1280)
    """

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """Return features ``(N, D)``.

        Raises:
            ValueError: If they are images.
        """
        if x.dim() != 2:
            raise InputError(
                '`PassOn` should get features, of shape (N, D), such as '
                'mmgh.FeatureFolder has, but got shape '
                f'{tuple(x.shape)}.')
        return (x, )
