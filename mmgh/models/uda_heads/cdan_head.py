from __future__ import annotations

from torch import Tensor

from mmgh.arguments import OPTIONS
from mmgh.models.layers import MultilinearMap
from mmgh.registry import MODELS
from .dann_head import DANNHead
from .domain_output import DomainOutput


@MODELS.register_module()
class CDANHead(DANNHead):
    """CDAN: as DANN, but the discriminator also sees the prediction.

    It looks at the multilinear map of the features and the softmax
    prediction, through which no gradient flows. CDAN+E is
    ``entropy='reversed'``.

    Args:
        in_channels (int): See :class:`DANNHead`.
        num_classes (int): See :class:`DANNHead`.
        multilinear_map (dict, optional): Options of
            :class:`MultilinearMap`.
        discriminator (dict, optional): See :class:`DANNHead`.
        **kwargs: The other arguments of :class:`DANNHead`.

    Source: Conditional Adversarial Domain Adaptation (NeurIPS 2018), eq. 5
    to 8.

    Example:
        >>> model = dict(
        ...     type='mmgh.UDAClassifier',
        ...     uda_head=dict(type='mmgh.CDANHead', entropy='reversed'))
    """

    def __init__(self,
                 in_channels: int,
                 num_classes: int,
                 multilinear_map: dict | None = None,
                 discriminator: dict | None = None,
                 **kwargs) -> None:
        OPTIONS.or_none().check(
            multilinear_map=multilinear_map, discriminator=discriminator)
        mapping = MultilinearMap(in_channels, num_classes,
                                 **(multilinear_map or {}))
        discriminator = {
            'in_channels': mapping.out_channels,
            **(discriminator or {})
        }
        super().__init__(
            in_channels, num_classes, discriminator=discriminator, **kwargs)
        self.multilinear_map = mapping

    def discriminator_inputs(self, output: DomainOutput) -> Tensor:
        predictions = output.logits.softmax(dim=1).detach()
        return self.multilinear_map(output.features, predictions)
