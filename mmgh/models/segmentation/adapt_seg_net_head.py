from __future__ import annotations

import torch
from torch import Tensor

from mmgh.arguments import OPTIONS, one_of
from mmgh.models.layers import GradientReversal, domain_loss
from mmgh.models.uda_heads import DomainOutput
from mmgh.registry import MODELS
from .seg_uda_head import SegUDAHead

# As published: a constant factor, from the first step on.
_REVERSAL = dict(max_coefficient=0.001, warmup_iters=1, counts_first=True)


@MODELS.register_module()
class AdaptSegNetHead(SegUDAHead):
    r"""AdaptSegNet: a discriminator looks at the softmax maps of both domains.

    Scenes of both domains have the same layout, so what is aligned is the
    output. A discriminator tells source from target in each patch of
    :math:`\mathrm{softmax}(\text{logits})`; the segmentor makes its maps of
    the target such that it cannot. The loss is the mean of the binary
    cross-entropy over the patches of the source (label 1) and over those of
    the target (label 0).

    Other than in the published code the discriminator stands behind a
    gradient reversal, and learns in the same step: the segmentor ascends on
    :math:`-\log(1 - D)`, where published it descends on :math:`-\log D`.
    Only the main decode head is aligned, by its ``lambda_adv_target1``.

    Args:
        num_classes (int): See :class:`SegUDAHead`.
        discriminator (dict): Options of :class:`MapDiscriminator`, or of
            another registered module that maps ``(N, C, H, W)`` to logits of
            any shape.
        reversal (dict): Options of :class:`GradientReversal`, of which
            ``max_coefficient``, 0.001 by default, is the weight of the
            alignment for the segmentor. Defaults to that weight from the
            first step on, without a warm-up.
        reversed_domains (str): Whose maps the segmentor changes:
            ``'target'``, as published, or ``'both'``. With ``'target'`` both
            tasks meet in the parameters, but in no features: for
            ``probe='features'`` it has to be ``'both'``. Defaults to
            ``'target'``.
        loss_weight (float): Factor of the loss, for the discriminator as
            well. Defaults to 1.
        init_cfg (dict, optional): Initialisation. Defaults to None.

    Source: Learning to Adapt Structured Output Space for Semantic
    Segmentation (CVPR 2018), eq. 2 to 4.

    Example:
        >>> uda_head = dict(
        ...     type='mmgh.AdaptSegNetHead',
        ...     reversal=dict(max_coefficient=0.01))
    """

    tasks = {'loss_domain': 'alignment'}

    def __init__(self,
                 num_classes: int,
                 discriminator: dict | None = None,
                 reversal: dict | None = None,
                 reversed_domains: str = 'target',
                 loss_weight: float = 1.,
                 init_cfg: dict | None = None) -> None:
        super().__init__(num_classes, loss_weight, init_cfg)
        OPTIONS.or_none().check(discriminator=discriminator, reversal=reversal)
        one_of('target', 'both').check(reversed_domains=reversed_domains)
        self.reversed_domains = reversed_domains
        self.reversal = GradientReversal(**{**_REVERSAL, **(reversal or {})})
        self.discriminator = MODELS.build({
            'type': 'mmgh.MapDiscriminator',
            'in_channels': num_classes,
            **(discriminator or {})
        })

    def losses(self, source: DomainOutput,
               target: DomainOutput) -> dict[str, Tensor]:
        """Compute the alignment loss of one training iteration.

        Args:
            source (DomainOutput): Of N source images.
            target (DomainOutput): Of M target images.

        Returns:
            dict[str, Tensor]: ``loss_domain``, and for the log
            ``domain_accuracy`` (percent, of the discriminator, over patches)
            and ``reversal``, the coefficient.
        """
        source_maps = source.logits.softmax(dim=1)
        source_maps = (
            self.reversal(source_maps)
            if self.reversed_domains == 'both' else source_maps.detach())
        target_maps = self.reversal(target.logits.softmax(dim=1))
        scores = [
            self.discriminator(maps).flatten()
            for maps in (source_maps, target_maps)
        ]
        weights = [torch.full_like(s, 1 / len(s)).detach() for s in scores]
        loss, accuracy = domain_loss(torch.cat(scores), *weights)
        return dict(
            loss_domain=self.loss_weight * loss,
            domain_accuracy=accuracy,
            reversal=self.reversal.coefficient)
