from __future__ import annotations

from typing import Mapping

from mmpretrain.models import LinearClsHead
from torch import Tensor, nn

from mmgh.arguments import COUNT
from mmgh.registry import MODELS


@MODELS.register_module()
class BridgeClsHead(LinearClsHead):
    r"""Linear classifier minus a generator bridge, for :class:`GVBHead`.

    The bridge is a second linear layer on the same features. It may take over
    what differs between the domains, so that less of it is left in the class
    scores, which training and prediction use alike:

    .. math::
        y = W f + c - b_G(f), \quad b_G(f) = W_b f + c_b

    Args:
        num_classes (int): Number of classes.
        in_channels (int): Size of a feature vector.
        init_cfg (dict, optional): Initialisation. Defaults to Kaiming normal,
            as in the published code of GVB.
        **kwargs: The other arguments of
            :class:`mmpretrain.models.LinearClsHead`.

    Source: Gradually Vanishing Bridge for Adversarial Domain Adaptation
    (CVPR 2020).

    Example:
        >>> head = dict(
        ...     type='mmgh.BridgeClsHead', in_channels=2048, num_classes=31)
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        init_cfg: dict | None = dict(
            type='Kaiming',
            layer='Linear',
            mode='fan_in',
            distribution='normal'),
        **kwargs
    ) -> None:
        COUNT.check(num_classes=num_classes, in_channels=in_channels)
        super().__init__(num_classes, in_channels, init_cfg, **kwargs)
        self.bridge = nn.Linear(in_channels, num_classes)

    def forward(self, feats: tuple[Tensor, ...]) -> Tensor:
        """Class scores, shape ``(N, C)``, of features; the last of ``feats``
        counts, shape ``(N, D)``."""
        features = self.pre_logits(feats)
        return self.fc(features) - self.bridge(features)

    @staticmethod
    def merge_bridge(state_dict: Mapping[str, Tensor],
                     prefix: str = 'head.') -> dict[str, Tensor]:
        """Return weights for a plain ``LinearClsHead`` that predicts the same.

        Args:
            state_dict (Mapping[str, Tensor]): Of a classifier with this head.
                It is not changed.
            prefix (str): Where the head is in it. Defaults to ``'head.'``; of
                the head itself it is ``''``.

        Returns:
            dict[str, Tensor]: The same, with the bridge subtracted from the
            linear layer.
        """
        merged = dict(state_dict)
        for name in ('weight', 'bias'):
            bridge = merged.pop(f'{prefix}bridge.{name}')
            merged[f'{prefix}fc.{name}'] = (
                merged[f'{prefix}fc.{name}'] - bridge)
        return merged
