from __future__ import annotations

import torch
from torch import Tensor

from mmgh.arguments import OPTIONS, number, one_of
from mmgh.input_error import InputTypeError
from mmgh.models.heads import BridgeClsHead
from mmgh.models.layers import (GradientReversal, domain_loss,
                                prediction_entropy)
from mmgh.registry import MODELS
from .domain_output import DomainOutput
from .uda_head import UDAHead


@MODELS.register_module()
class GVBHead(UDAHead):
    r"""GVB-GD: adversarial alignment over two bridges that are to vanish.

    The class scores :math:`y = fc(f) - b_G(f)` come from a
    :class:`mmgh.models.BridgeClsHead`, which this head needs. A discriminator
    with a bridge of its own, :math:`d = D(p) - b_D(p)`, looks at the
    prediction :math:`p = softmax(y)` behind gradient reversal:

    .. math::
        L_{domain} &= \tfrac{1}{2} \Big(
            \sum_{source} w_i \, BCE(d_i, 1) +
            \sum_{target} w_j \, BCE(d_j, 0) \Big) \\
        L_{bridge\_g} &= mean |b_G|, \quad L_{bridge\_d} = mean |b_D|

    A sample counts by :math:`w \propto \exp(-H(p))`, of sum 1 per domain, with
    the entropy ``H``. Both bridge losses are means over both domains.

    Each bridge loss is a task. Both reach the features: the generator bridge
    directly, the discriminator bridge through the reversal. They make up the
    second of two pairs of tasks to harmonize.

    Args:
        in_channels (int): See :class:`UDAHead`.
        num_classes (int): See :class:`UDAHead`.
        discriminator (dict): Options of :class:`BridgedDiscriminator`, or of
            another registered module that maps ``(N, C)`` to two tensors of
            shape ``(N, )``, the logits and the bridge.
        reversal (dict): Options of :class:`GradientReversal`.
        entropy (str): ``'reversed'`` lets the reversed gradient through the
            weights ``w`` (but for their sum), as in the published code: it
            makes all predictions more certain. ``'detached'`` weighs by
            constants. Defaults to ``'reversed'``.
        bridge_g_weight (float): Factor of the generator bridge's loss.
            Defaults to 1.
        bridge_d_weight (float): Factor of the discriminator bridge's loss.
            Defaults to 1.
        loss_weight (float): Factor of the alignment loss. Defaults to 1.
        init_cfg (dict, optional): Initialisation. Defaults to None.

    Source: Gradually Vanishing Bridge for Adversarial Domain Adaptation
    (CVPR 2020); entropy weights and the gradient through them as in its
    published code.

    Example:
        >>> model = dict(
        ...     type='mmgh.UDAClassifier',
        ...     head=dict(type='mmgh.BridgeClsHead'),
        ...     uda_head=dict(type='mmgh.GVBHead'))
    """

    tasks = {
        'loss_domain': 'alignment',
        'loss_bridge_g': 'bridge_g',
        'loss_bridge_d': 'bridge_d'
    }
    pairs = (('alignment', 'cls'), ('bridge_g', 'bridge_d'))

    def __init__(self,
                 in_channels: int,
                 num_classes: int,
                 discriminator: dict | None = None,
                 reversal: dict | None = None,
                 entropy: str = 'reversed',
                 bridge_g_weight: float = 1.,
                 bridge_d_weight: float = 1.,
                 loss_weight: float = 1.,
                 init_cfg: dict | None = None) -> None:
        super().__init__(in_channels, num_classes, loss_weight, init_cfg)
        OPTIONS.or_none().check(discriminator=discriminator, reversal=reversal)
        one_of('reversed', 'detached').check(entropy=entropy)
        number(at_least=0).check(
            bridge_g_weight=bridge_g_weight, bridge_d_weight=bridge_d_weight)
        self.entropy = entropy
        self.bridge_g_weight = bridge_g_weight
        self.bridge_d_weight = bridge_d_weight
        self.reversal = GradientReversal(**(reversal or {}))
        self.discriminator = MODELS.build({
            'type': 'mmgh.BridgedDiscriminator',
            'in_channels': num_classes,
            **(discriminator or {})
        })

    def losses(self, source: DomainOutput,
               target: DomainOutput) -> dict[str, Tensor]:
        """Compute the losses of one training iteration.

        Args:
            source (DomainOutput): Of N source images.
            target (DomainOutput): Of M target images.

        Returns:
            dict[str, Tensor]: ``loss_domain``, ``loss_bridge_g`` and
            ``loss_bridge_d``, and for the log ``domain_accuracy`` (percent,
            of the discriminator) and ``reversal``, the coefficient.
        """
        bridge_g = torch.cat(
            [_generator_bridge(source),
             _generator_bridge(target)])
        predictions = torch.cat([source.logits, target.logits]).softmax(dim=1)
        scores, bridge_d = self.discriminator(self.reversal(predictions))
        loss, accuracy = domain_loss(scores, self._sample_weights(source),
                                     self._sample_weights(target))
        return dict(
            loss_domain=self.loss_weight * loss,
            loss_bridge_g=self.bridge_g_weight * bridge_g.abs().mean(),
            loss_bridge_d=self.bridge_d_weight * bridge_d.abs().mean(),
            domain_accuracy=accuracy,
            reversal=self.reversal.coefficient)

    def _sample_weights(self, output: DomainOutput) -> Tensor:
        """Weigh the samples of one domain, shape ``(N, )``, of sum 1."""
        entropy = prediction_entropy(output.logits)
        entropy = (
            self.reversal(entropy)
            if self.entropy == 'reversed' else entropy.detach())
        weights = torch.exp(-entropy)
        return weights / weights.sum().detach()


def _generator_bridge(output: DomainOutput) -> Tensor:
    """Return what the bridge of the head gives, shape ``(N, C)``."""
    if not isinstance(output.head, BridgeClsHead):
        raise InputTypeError(
            '`GVBHead` should go with the classification head '
            "`dict(type='mmgh.BridgeClsHead', ...)`, which has a bridge, but "
            f'got {type(output.head).__name__}.')
    return output.head.bridge(output.features)
