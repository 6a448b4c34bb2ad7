from __future__ import annotations

from typing import Callable

import torch
from mmengine.utils import apply_to
from torch import Tensor, nn

from mmgh.arguments import OPTIONS, number
from mmgh.classifier_outputs import cross_entropy, scores_of
from mmgh.models.layers import GradientReversal
from mmgh.registry import MODELS
from .domain_output import DomainOutput
from .uda_head import UDAHead


@MODELS.register_module()
class MCDHead(UDAHead):
    r"""MCD: two classifiers find target features that the source lacks.

    The first classifier is the classification head. The second one, which
    belongs to this head, starts from other weights. Both learn the source,
    and to differ on the target as much as possible; the features learn to
    make them agree. With ``C`` classes and softmax scores :math:`p_1, p_2` of
    the ``M`` target images

    .. math::
        discrepancy = \frac{1}{M C} \sum_{m, c} |p_{1, mc} - p_{2, mc}|

    This is the one-step form: minus the discrepancy is minimised, and what
    enters both classifiers goes through gradient reversal. So one backward
    pass gives each part its direction. For the three alternating steps of the
    paper see :class:`mmgh.models.AlternatingMCDClassifier`.

    The classifier that predicts is the classification head. Each source image
    has one class.

    Args:
        in_channels (int): See :class:`UDAHead`.
        num_classes (int): See :class:`UDAHead`.
        classifier (dict, optional): Config of the second classifier: a head
            of mmpretrain for what enters the classification head, best of
            the same type. Defaults to None: a linear layer on the features,
            which fits a classification head without hidden layers.
        reversal (dict, optional): Options of :class:`GradientReversal`.
        balance_weight (float): Factor of a loss that keeps the predictions on
            the target from leaving out classes: for both classifiers
            :math:`- \frac{1}{C} \sum_c \log \frac{1}{M} \sum_m p_{mc}`. The
            published code uses 0.01. Defaults to 0: none.
        loss_weight (float): Factor of the discrepancy. Defaults to 1.
        init_cfg (dict, optional): Initialisation. Defaults to None.

    Source: Maximum Classifier Discrepancy for Unsupervised Domain Adaptation
    (CVPR 2018), eq. 2 to 9. Gradient reversal and the balance as in the
    published code.

    Example:
        >>> model = dict(
        ...     type='mmgh.UDAClassifier', uda_head=dict(type='mmgh.MCDHead'))
    """

    tasks = {
        'loss_cls2': 'cls',
        'loss_balance': 'cls',
        'loss_discrepancy': 'alignment'
    }
    # As in the published GH code of MCD.
    pairs = (('cls', 'alignment'), )
    single_label = True

    def __init__(self,
                 in_channels: int,
                 num_classes: int,
                 classifier: dict | None = None,
                 reversal: dict | None = None,
                 balance_weight: float = 0.,
                 loss_weight: float = 1.,
                 init_cfg: dict | None = None) -> None:
        super().__init__(in_channels, num_classes, loss_weight, init_cfg)
        number(
            at_least=2, whole=True, since='the classifiers have to differ'
        ).check(num_classes=num_classes)
        number(at_least=0).check(balance_weight=balance_weight)
        OPTIONS.or_none().check(classifier=classifier, reversal=reversal)
        self.balance_weight = balance_weight
        self.reversal = GradientReversal(**(reversal or {}))
        self.takes_features = classifier is None
        self.classifier = (
            nn.Linear(in_channels, num_classes)
            if classifier is None else MODELS.build(classifier))

    def losses(self, source: DomainOutput,
               target: DomainOutput) -> dict[str, Tensor]:
        """Compute the losses of one training iteration.

        Args:
            source (DomainOutput): Of N source images, with labels.
            target (DomainOutput): Of M target images.

        Returns:
            dict[str, Tensor]: ``loss_cls2``, ``loss_balance`` if it has a
            weight, ``loss_discrepancy``, which is negative, and for the log
            ``reversal``, the coefficient.
        """
        discrepancy = self.discrepancy(
            target.classify(self.reversal),
            self.classify(target, self.reversal))
        return dict(
            **self.classification_losses(source, target),
            loss_discrepancy=-discrepancy,
            reversal=self.reversal.coefficient)

    def classification_losses(self, source: DomainOutput,
                              target: DomainOutput) -> dict[str, Tensor]:
        """Compute the losses that features and both classifiers minimise.

        Args:
            source (DomainOutput): Of N source images, with labels.
            target (DomainOutput): Of M target images.

        Returns:
            dict[str, Tensor]: ``loss_cls2``, and ``loss_balance`` if it has a
            weight.
        """
        losses = dict(
            loss_cls2=cross_entropy(self.classify(source), source.labels))
        if self.balance_weight:
            losses['loss_balance'] = self.balance_weight * (
                _imbalance(target.logits) + _imbalance(self.classify(target)))
        return losses

    def classify(self,
                 output: DomainOutput,
                 function: Callable[[Tensor], Tensor] | None = None) -> Tensor:
        """Return scores of the second classifier, shape ``(N, C)``, if given
        with a function on what enters it."""
        inputs = output.features if self.takes_features else output.head_inputs
        if function is not None:
            inputs = apply_to(inputs, torch.is_tensor, function)
        return scores_of(self.classifier, inputs)

    def discrepancy(self, first: Tensor, second: Tensor) -> Tensor:
        """Return the discrepancy of scores ``(M, C)``, weighted."""
        difference = first.softmax(dim=1) - second.softmax(dim=1)
        return self.loss_weight * difference.abs().mean()


def _imbalance(logits: Tensor) -> Tensor:
    """Return what is least if all classes are predicted equally often.

    As in the published code a class that is never predicted counts with a
    probability of 1e-6.
    """
    frequencies = logits.softmax(dim=1).mean(dim=0)
    return -(frequencies + 1e-6).log().mean()
