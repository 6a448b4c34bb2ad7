from __future__ import annotations

from torch import Tensor, nn

from mmgh.registry import MODELS
from .domain_discriminator import DomainDiscriminator


@MODELS.register_module()
class BridgedDiscriminator(DomainDiscriminator):
    """Domain discriminator minus a discriminator bridge.

    The bridge is a second output on the same hidden layers, as in the
    published code of GVB.

    Args:
        in_channels (int): See :class:`DomainDiscriminator`.
        hidden_channels (int): See :class:`DomainDiscriminator`. Defaults to
            1024.
        init_cfg (dict, optional): Initialisation. Defaults to Kaiming normal,
            as in the published code of GVB.
        **kwargs: The other arguments of :class:`DomainDiscriminator`.

    Example:
        >>> uda_head = dict(
        ...     type='mmgh.GVBHead', discriminator=dict(hidden_channels=256))
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int = 1024,
        init_cfg: dict | None = dict(
            type='Kaiming',
            layer='Linear',
            mode='fan_in',
            distribution='normal'),
        **kwargs
    ) -> None:
        super().__init__(
            in_channels, hidden_channels, init_cfg=init_cfg, **kwargs)
        self.bridge = nn.Linear(hidden_channels, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Look at ``x``, shape ``(N, D)``.

        Returns:
            tuple[Tensor, Tensor]: Logit of being source, from which the
            bridge is subtracted, and the bridge; shape ``(N, )`` each.
        """
        hidden = self.layers[:-1](x)
        bridge = self.bridge(hidden).squeeze(1)
        return self.layers[-1](hidden).squeeze(1) - bridge, bridge
