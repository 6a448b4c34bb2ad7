from __future__ import annotations

from torch import Tensor, nn

from mmgh.arguments import FLAG, number
from mmgh.classifier_outputs import most_probable
from mmgh.models.layers import DynamicWeight
from mmgh.registry import MODELS
from .dann_head import DANNHead
from .domain_output import DomainOutput
from .mcd_head import MCDHead
from .uda_head import UDAHead


@MODELS.register_module()
class DWLHead(UDAHead):
    r"""DWL: as much alignment as the features need, else discriminability.

    The alignment loss is DANN's. The discriminability loss is MCD's, for each
    two of three classifiers: the classification head and two of this head's
    own, which learn the source as well. With the discrepancies
    :math:`d_{ij}`, a dynamic weight :math:`T` (see :class:`DynamicWeight`)
    and factors :math:`\alpha` and :math:`\beta` the losses are

    .. math::
        T \alpha L_{domain} \quad and \quad
        - (1 - T) \beta (d_{12} + d_{13} + d_{23})

    Both are behind gradient reversal, so that one backward pass gives each
    part its direction: the discriminator tells the domains apart and the
    classifiers differ on the target, the features do the opposite of both.

    The tasks are ``alignment``, ``discrepancy`` and ``cls``. The first two
    are harmonized with each other. Each source image has one class.

    Args:
        in_channels (int): See :class:`UDAHead`.
        num_classes (int): See :class:`UDAHead`.
        discriminator (dict, optional): See :class:`DANNHead`.
        classifier (dict, optional): Of both classifiers, see
            :class:`MCDHead`.
        reversal (dict, optional): Options of :class:`GradientReversal`, for
            both losses.
        epoch_iters (int): Iterations between updates of the dynamic weight.
            Defaults to 100.
        discrepancy_weight (float): :math:`\beta`. Defaults to 1.
        weigh_after (bool): Whether :math:`T` and :math:`1 - T` weigh what
            harmonization leaves, as in the published GH code, rather than
            what it compares: the gradients are compared without them. GH++ as
            published looks at the angle alone, and is the same either way.
            Without harmonization it makes no difference. Defaults to False.
        loss_weight (float): :math:`\alpha`. Defaults to 1.
        init_cfg (dict, optional): Initialisation. Defaults to None.

    Source: Dynamic Weighted Learning for Unsupervised Domain Adaptation (CVPR
    2021). The published code alternates the steps of the parts. There the
    dynamic weight scales only the step of the features, and the
    classification head learns from the source alone.

    Example:
        >>> model = dict(
        ...     type='mmgh.UDAClassifier', uda_head=dict(type='mmgh.DWLHead'))
    """

    tasks = {
        'loss_domain': 'alignment',
        'loss_discrepancy': 'discrepancy',
        'loss_cls2': 'cls',
        'loss_cls3': 'cls'
    }
    # As in the published GH code of DWL.
    pairs = (('alignment', 'discrepancy'), )
    single_label = True

    def __init__(self,
                 in_channels: int,
                 num_classes: int,
                 discriminator: dict | None = None,
                 classifier: dict | None = None,
                 reversal: dict | None = None,
                 epoch_iters: int = 100,
                 discrepancy_weight: float = 1.,
                 weigh_after: bool = False,
                 loss_weight: float = 1.,
                 init_cfg: dict | None = None) -> None:
        super().__init__(in_channels, num_classes, loss_weight, init_cfg)
        number(at_least=0).check(discrepancy_weight=discrepancy_weight)
        FLAG.check(weigh_after=weigh_after)
        self.weigh_after = weigh_after
        sizes = dict(
            in_channels=in_channels,
            num_classes=num_classes,
            reversal=reversal)
        self.alignment = DANNHead(
            **sizes, discriminator=discriminator, loss_weight=loss_weight)
        self.classifiers = nn.ModuleList(
            MCDHead(
                **sizes, classifier=classifier, loss_weight=discrepancy_weight)
            for _ in range(2))
        self.dynamic_weight = DynamicWeight(in_channels, num_classes,
                                            epoch_iters)

    def losses(self, source: DomainOutput,
               target: DomainOutput) -> dict[str, Tensor]:
        """Compute the losses of one training iteration.

        Args:
            source (DomainOutput): Of N source images, with labels.
            target (DomainOutput): Of M target images.

        Returns:
            dict[str, Tensor]: ``loss_domain``, ``loss_discrepancy``, which is
            negative, ``loss_cls2`` and ``loss_cls3``, and for the log
            ``dynamic_weight`` and what :class:`DANNHead` logs.
        """
        # A copy: the weight changes in place before the backward pass.
        weight = self.dynamic_weight.value.clone()
        if self.weigh_after:
            self.factors = dict(alignment=weight, discrepancy=1 - weight)
        second, third = self.classifiers
        discrepancy = -second.discrepancy(
            second.classify(target, second.reversal),
            third.classify(target, third.reversal))
        losses2, losses3 = (
            classifier.loss(source, target) for classifier in (second, third))
        for losses in (losses2, losses3):
            discrepancy = discrepancy + losses['loss_discrepancy']
        results = self.alignment.loss(source, target)
        results.update(
            loss_domain=weight * results['loss_domain'],
            loss_discrepancy=(1 - weight) * discrepancy,
            loss_cls2=losses2['loss_cls2'],
            loss_cls3=losses3['loss_cls2'],
            dynamic_weight=weight)
        if self.training:
            self._count(source, target)
        return results

    def _count(self, source: DomainOutput, target: DomainOutput) -> None:
        self.dynamic_weight.add(
            (source.features, most_probable(source.labels)),
            (target.features, target.logits.argmax(dim=1)))
