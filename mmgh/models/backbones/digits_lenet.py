from __future__ import annotations

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmgh.arguments import COUNT, DROPOUT, FLAG, list_of
from mmgh.registry import MODELS


@MODELS.register_module()
class DigitsLeNet(BaseModule):
    """The LeNet variant that UDA papers use on digits of 28 x 28 pixels.

    Two 5 x 5 convolutions, each with max-pooling and ReLU. In contrast to
    mmpretrain's ``LeNet5`` it takes colour images and has dropout. A hidden
    layer, the last one before the classifier, may follow.

    Args:
        in_channels (int): Channels of an image. Defaults to 3.
        channels (tuple[int, int]): Channels of the two convolutions.
            Defaults to (20, 50), the published network.
        batch_norm (bool): Whether to normalise after each convolution.
            Defaults to False, as published.
        dropout (float): Probability to drop a channel after the second
            convolution, and an output of the hidden layer. Defaults to 0.5,
            as published.
        hidden_channels (int, optional): Size of the hidden layer; published:
            500. Defaults to None: there is none.
        init_cfg (dict, optional): Initialisation. Defaults to Kaiming.

    Source: the published code of CDAN and of TLlib, which agree.

    Example:
        >>> backbone = dict(type='mmgh.DigitsLeNet', hidden_channels=500)
        >>> head = dict(
        ...     type='LinearClsHead', in_channels=500, num_classes=10)
    """

    def __init__(
        self,
        in_channels: int = 3,
        channels: tuple[int, int] = (20, 50),
        batch_norm: bool = False,
        dropout: float = 0.5,
        hidden_channels: int | None = None,
        init_cfg: dict | None = dict(type='Kaiming', layer='Conv2d')
    ) -> None:
        super().__init__(init_cfg)
        COUNT.check(in_channels=in_channels)
        COUNT.or_none().check(hidden_channels=hidden_channels)
        list_of(COUNT, length=2).check(channels=channels)
        FLAG.check(batch_norm=batch_norm)
        DROPOUT.check(dropout=dropout)

        def norm(size: int) -> nn.Module:
            return nn.BatchNorm2d(size) if batch_norm else nn.Identity()

        first, second = channels
        layers: list[nn.Module] = [
            nn.Conv2d(in_channels, first, 5), norm(first), nn.MaxPool2d(2),
            nn.ReLU(), nn.Conv2d(first, second, 5), norm(second),
            nn.Dropout2d(dropout), nn.MaxPool2d(2), nn.ReLU(), nn.Flatten()
        ]
        if hidden_channels is not None:
            layers += [
                nn.Linear(16 * second, hidden_channels), nn.ReLU(),
                nn.Dropout(dropout)
            ]
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """Return ``(N, 16 * channels[1])`` or ``(N, hidden_channels)`` for
        images ``(N, in_channels, 28, 28)``."""
        return (self.layers(x), )
