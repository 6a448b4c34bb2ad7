from __future__ import annotations

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmgh.arguments import COUNT, DROPOUT, FLAG
from mmgh.classifier_outputs import check_size
from mmgh.registry import MODELS


@MODELS.register_module()
class Bottleneck(BaseModule):
    """Linear layer that shortens the features before they are aligned.

    Args:
        in_channels (int): Size of an input vector.
        out_channels (int): Size of an output vector. Defaults to 256.
        norm_act (bool): Whether batch normalisation and ReLU follow, as in
            TLlib. Defaults to False, as in the published code of CDAN and GH.
        dropout (float): Drop probability of an output. Defaults to 0.
        init_cfg (dict, optional): Initialisation. Defaults to Xavier normal.

    Example:
        >>> neck = [dict(type='GlobalAveragePooling'),
        ...         dict(type='mmgh.Bottleneck', in_channels=2048)]
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int = 256,
        norm_act: bool = False,
        dropout: float = 0.,
        init_cfg: dict | None = dict(
            type='Xavier', layer='Linear', distribution='normal')
    ) -> None:
        super().__init__(init_cfg)
        COUNT.check(in_channels=in_channels, out_channels=out_channels)
        FLAG.check(norm_act=norm_act)
        DROPOUT.check(dropout=dropout)
        layers: list[nn.Module] = [nn.Linear(in_channels, out_channels)]
        if norm_act:
            layers += [nn.BatchNorm1d(out_channels), nn.ReLU()]
        if dropout:
            layers.append(nn.Dropout(dropout))
        self.in_channels = in_channels
        self.layers = nn.Sequential(*layers)

    def forward(self, feats: tuple[Tensor, ...]) -> tuple[Tensor]:
        """Shorten the last of the feature vectors, ``(N, in_channels)``.

        Returns:
            tuple[Tensor]: One tensor of shape ``(N, out_channels)``.

        Raises:
            InputError: If the vectors have another size.
        """
        check_size('in_channels', self, feats[-1])
        return (self.layers(feats[-1]), )
