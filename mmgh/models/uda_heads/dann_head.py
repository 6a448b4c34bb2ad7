from __future__ import annotations

import torch
from torch import Tensor

from mmgh.arguments import OPTIONS, one_of
from mmgh.models.layers import (GradientReversal, domain_loss,
                                prediction_entropy)
from mmgh.registry import MODELS
from .domain_output import DomainOutput
from .uda_head import UDAHead


@MODELS.register_module()
class DANNHead(UDAHead):
    r"""DANN: a discriminator behind gradient reversal aligns the domains.

    The loss is the mean of the discriminator's binary cross-entropy on the
    source (label 1) and on the target (label 0). The discriminator descends
    on it; the features behind the reversal ascend.

    With ``entropy`` a sample counts by :math:`1 + \exp(-H(p))`, where ``H`` is
    the entropy of its prediction, normalised to sum 1 per domain: samples
    that are easy to classify are aligned first ("+E").

    Args:
        in_channels (int): See :class:`UDAHead`.
        num_classes (int): See :class:`UDAHead`.
        discriminator (dict): Options of :class:`DomainDiscriminator`, or of
            another registered module that maps ``(N, D)`` to ``(N, )``
            logits.
        reversal (dict): Options of :class:`GradientReversal`.
        entropy (str, optional): ``'reversed'`` weighs by entropy and lets
            the reversed gradient through the weights, as in the published
            code of CDAN and GH. ``'detached'`` weighs by constants, as in
            TLlib. Defaults to None, no weights.
        loss_weight (float): Factor of the loss. Defaults to 1.
        init_cfg (dict, optional): Initialisation. Defaults to None.

    Source: Unsupervised Domain Adaptation by Backpropagation (ICML 2015);
    entropy weights: CDAN (NeurIPS 2018), eq. 8.

    Example:
        >>> model = dict(
        ...     type='mmgh.UDAClassifier', uda_head=dict(type='mmgh.DANNHead'))
    """

    tasks = {'loss_domain': 'alignment'}

    def __init__(self,
                 in_channels: int,
                 num_classes: int,
                 discriminator: dict | None = None,
                 reversal: dict | None = None,
                 entropy: str | None = None,
                 loss_weight: float = 1.,
                 init_cfg: dict | None = None) -> None:
        super().__init__(in_channels, num_classes, loss_weight, init_cfg)
        OPTIONS.or_none().check(discriminator=discriminator, reversal=reversal)
        one_of(None, 'reversed', 'detached').check(entropy=entropy)
        self.entropy = entropy
        self.reversal = GradientReversal(**(reversal or {}))
        self.discriminator = MODELS.build({
            'type': 'mmgh.DomainDiscriminator',
            'in_channels': in_channels,
            **(discriminator or {})
        })

    def discriminator_inputs(self, output: DomainOutput) -> Tensor:
        """Return what the discriminator looks at, shape ``(N, D)``."""
        return output.features

    def losses(self, source: DomainOutput,
               target: DomainOutput) -> dict[str, Tensor]:
        """Compute the alignment loss of one training iteration.

        Args:
            source (DomainOutput): Of N source images.
            target (DomainOutput): Of M target images.

        Returns:
            dict[str, Tensor]: ``loss_domain``, and for the log
            ``domain_accuracy`` (percent, of the discriminator) and
            ``reversal``, the coefficient.
        """
        inputs = torch.cat([
            self.discriminator_inputs(source),
            self.discriminator_inputs(target)
        ])
        scores = self.discriminator(self.reversal(inputs))
        loss, accuracy = domain_loss(scores, self._sample_weights(source),
                                     self._sample_weights(target))
        return dict(
            loss_domain=self.loss_weight * loss,
            domain_accuracy=accuracy,
            reversal=self.reversal.coefficient)

    def _sample_weights(self, output: DomainOutput) -> Tensor:
        """Weigh the samples of one domain, shape ``(N, )``, of sum 1."""
        if self.entropy is None:
            size = len(output.features)
            return torch.full((size, ),
                              1 / size,
                              device=output.features.device)
        entropy = prediction_entropy(output.logits)
        entropy = (
            self.reversal(entropy)
            if self.entropy == 'reversed' else entropy.detach())
        weights = 1 + torch.exp(-entropy)
        return weights / weights.sum().detach()
