from __future__ import annotations

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmgh.arguments import COUNT, DROPOUT, list_of
from mmgh.registry import MODELS


@MODELS.register_module()
class DigitsDTN(BaseModule):
    """The network that UDA papers use on digits of 32 x 32 pixels.

    Three 5 x 5 convolutions, each of which halves the image, and a hidden
    layer; all with batch normalisation, dropout and ReLU. It is for street
    numbers (SVHN), for which :class:`DigitsLeNet` is too small.

    Args:
        in_channels (int): Channels of an image. Defaults to 3.
        channels (tuple[int, int, int]): Channels of the convolutions.
            Defaults to (64, 128, 256), the published network.
        dropout (tuple[float, float, float]): Probability to drop a channel
            after each convolution. Defaults to (0.1, 0.3, 0.5), as published.
        hidden_channels (int): Size of the hidden layer, whose outputs are
            dropped with probability 0.5. Defaults to 512, as published.
        init_cfg (dict, optional): Initialisation. Defaults to Kaiming.

    Source: the published code of CDAN and of TLlib, which agree.

    Example:
        >>> backbone = dict(type='mmgh.DigitsDTN')
        >>> head = dict(
        ...     type='LinearClsHead', in_channels=512, num_classes=10)
    """

    def __init__(
        self,
        in_channels: int = 3,
        channels: tuple[int, int, int] = (64, 128, 256),
        dropout: tuple[float, float, float] = (0.1, 0.3, 0.5),
        hidden_channels: int = 512,
        init_cfg: dict | None = dict(type='Kaiming', layer='Conv2d')
    ) -> None:
        super().__init__(init_cfg)
        COUNT.check(in_channels=in_channels, hidden_channels=hidden_channels)
        list_of(COUNT, length=3).check(channels=channels)
        list_of(DROPOUT, length=3).check(dropout=dropout)
        layers: list[nn.Module] = []
        for size, probability in zip(channels, dropout):
            layers += [
                nn.Conv2d(in_channels, size, 5, stride=2, padding=2),
                nn.BatchNorm2d(size), nn.Dropout2d(probability), nn.ReLU()
            ]
            in_channels = size
        layers += [
            nn.Flatten(),
            nn.Linear(16 * in_channels, hidden_channels),
            nn.BatchNorm1d(hidden_channels),
            nn.ReLU(),
            nn.Dropout(0.5)
        ]
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """Return ``(N, hidden_channels)`` for images ``(N, in_channels, 32,
        32)``."""
        return (self.layers(x), )
