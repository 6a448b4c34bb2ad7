from __future__ import annotations

from typing import Sequence

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmgh.arguments import COUNT, list_of
from mmgh.input_error import InputError
from mmgh.registry import MODELS


@MODELS.register_module()
class MapDiscriminator(BaseModule):
    """Tell source from target in each patch of a map, by convolutions alone.

    Each layer halves the map: kernels of 4 x 4, stride 2, and leaky
    rectifiers with a slope of 0.2 between them, as in the published code of
    AdaptSegNet.

    Args:
        in_channels (int): Number of channels of a map.
        hidden_channels (Sequence[int]): Number of channels after each layer
            but the last, which has one. Defaults to ``(64, 128, 256, 512)``.
        init_cfg (dict, optional): Initialisation. Defaults to None, that of
            torch.

    Example:
        >>> uda_head = dict(
        ...     type='mmgh.AdaptSegNetHead',
        ...     discriminator=dict(hidden_channels=(16, 32)))
    """

    def __init__(self,
                 in_channels: int,
                 hidden_channels: Sequence[int] = (64, 128, 256, 512),
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        COUNT.check(in_channels=in_channels)
        list_of(COUNT).check(hidden_channels=hidden_channels)
        layers: list[nn.Module] = []
        for channels in hidden_channels:
            layers.append(nn.Conv2d(in_channels, channels, 4, 2, padding=1))
            layers.append(nn.LeakyReLU(0.2))
            in_channels = channels
        layers.append(nn.Conv2d(in_channels, 1, 4, 2, padding=1))
        self.layers = nn.Sequential(*layers)
        self.least_size = 2**(len(hidden_channels) + 1)

    def forward(self, maps: Tensor) -> Tensor:
        """Return the logit of being source of each patch.

        Args:
            maps (Tensor): Shape ``(N, C, H, W)``.

        Returns:
            Tensor: Shape ``(N, h, w)``.

        Raises:
            ValueError: If a map is too small to be halved so often.
        """
        if min(maps.shape[2:]) < self.least_size:
            raise InputError(
                f'Each map should be of at least {self.least_size} pixels in '
                'height and width, which `hidden_channels` of '
                f'MapDiscriminator ask for, but got {tuple(maps.shape[2:])}.')
        return self.layers(maps).squeeze(1)
