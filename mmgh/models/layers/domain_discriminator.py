from __future__ import annotations

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmgh.arguments import COUNT, DROPOUT, FLAG
from mmgh.registry import MODELS


@MODELS.register_module()
class DomainDiscriminator(BaseModule):
    """Tells source from target: two hidden layers and one logit.

    Args:
        in_channels (int): Size of an input vector.
        hidden_channels (int): Size of both hidden layers. Defaults to 1024.
        batch_norm (bool): Whether to normalise the hidden layers, as TLlib
            does. Defaults to False, as in the published code of CDAN and GH.
        dropout (float): Drop probability in the hidden layers. Defaults to
            0.5.
        init_cfg (dict, optional): Initialisation. Defaults to Xavier normal.

    Example:
        >>> uda_head = dict(
        ...     type='mmgh.DANNHead',
        ...     discriminator=dict(hidden_channels=256, batch_norm=True))
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int = 1024,
        batch_norm: bool = False,
        dropout: float = 0.5,
        init_cfg: dict | None = dict(
            type='Xavier', layer='Linear', distribution='normal')
    ) -> None:
        super().__init__(init_cfg)
        COUNT.check(in_channels=in_channels, hidden_channels=hidden_channels)
        FLAG.check(batch_norm=batch_norm)
        DROPOUT.check(dropout=dropout)
        layers: list[nn.Module] = []
        for channels in (in_channels, hidden_channels):
            layers.append(nn.Linear(channels, hidden_channels))
            if batch_norm:
                layers.append(nn.BatchNorm1d(hidden_channels))
            layers += [nn.ReLU(), nn.Dropout(dropout)]
        self.layers = nn.Sequential(*layers, nn.Linear(hidden_channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Logit of being source, shape ``(N, )``, for ``x`` of ``(N, D)``."""
        return self.layers(x).squeeze(1)
