from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmgh.arguments import COUNT, DROPOUT, OPTIONS, number
from mmgh.models.layers import GradientReversal
from mmgh.registry import MODELS
from .domain_output import DomainOutput
from .uda_head import UDAHead


@MODELS.register_module()
class MDDHead(UDAHead):
    r"""MDD: a second classifier looks for the margin disparity of the domains.

    With :math:`\hat y` the class that the classification head predicts and
    :math:`\sigma` the softmax scores of the adversarial classifier, the loss
    is

    .. math::
        - \gamma \, E_{source} \log \sigma_{\hat y}
        - E_{target} \log (1 - \sigma_{\hat y})

    The adversarial classifier descends on it: it learns to agree with the
    predictions on the source and to disagree on the target. The features
    behind gradient reversal ascend. No gradient flows through the
    predictions.

    Args:
        in_channels (int): See :class:`UDAHead`.
        num_classes (int): See :class:`UDAHead`; at least 2.
        margin (float): :math:`\gamma`. The published code uses 4 for
            Office-31 and 2 for Office-Home. Defaults to 4.
        hidden_channels (int): Size of the hidden layer of the adversarial
            classifier. Defaults to 1024.
        dropout (float): Drop probability in the hidden layer. Defaults to
            0.5.
        reversal (dict, optional): Options of :class:`GradientReversal`.
            ``alpha`` defaults to 1, ``warmup_iters`` to 1000 and
            ``max_coefficient`` to 0.1, as in the published code.
        loss_weight (float): Factor of the loss. Defaults to 1.
        init_cfg (dict, optional): Initialisation. Defaults to that of the
            published code: normal of standard deviation 0.01.

    Source: Bridging Theory and Algorithm for Domain Adaptation (ICML 2019),
    section 4; networks and constants as in the published code.

    Example:
        >>> model = dict(
        ...     type='mmgh.UDAClassifier',
        ...     uda_head=dict(type='mmgh.MDDHead', margin=2.))
    """

    tasks = {'loss_mdd': 'alignment'}

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        margin: float = 4.,
        hidden_channels: int = 1024,
        dropout: float = 0.5,
        reversal: dict | None = None,
        loss_weight: float = 1.,
        init_cfg: dict | None = dict(type='Normal', layer='Linear', std=0.01)
    ) -> None:
        super().__init__(in_channels, num_classes, loss_weight, init_cfg)
        number(
            at_least=2, whole=True, since='the classifiers have to disagree'
        ).check(num_classes=num_classes)
        number(above=0).check(margin=margin)
        COUNT.check(hidden_channels=hidden_channels)
        DROPOUT.check(dropout=dropout)
        OPTIONS.or_none().check(reversal=reversal)
        self.margin = margin
        self.reversal = GradientReversal(
            **{
                'alpha': 1.,
                'warmup_iters': 1000,
                'max_coefficient': 0.1,
                **(reversal or {})
            })
        self.adversary = nn.Sequential(
            nn.Linear(in_channels, hidden_channels), nn.ReLU(),
            nn.Dropout(dropout), nn.Linear(hidden_channels, num_classes))

    def losses(self, source: DomainOutput,
               target: DomainOutput) -> dict[str, Tensor]:
        """Compute the alignment loss of one training iteration.

        Args:
            source (DomainOutput): Of N source images.
            target (DomainOutput): Of M target images.

        Returns:
            dict[str, Tensor]: ``loss_mdd``, and for the log ``disagreement``
            (percent of the target on which the classifiers differ) and
            ``reversal``, the coefficient.
        """
        features = torch.cat([source.features, target.features])
        scores = self.adversary(self.reversal(features))
        source_scores = scores[:len(source.features)]
        target_scores = scores[len(source.features):]
        labels = target.logits.argmax(dim=1)
        loss = (
            self.margin *
            F.cross_entropy(source_scores, source.logits.argmax(dim=1)) -
            _log_of_other_classes(target_scores, labels).mean())
        differs = target_scores.argmax(dim=1) != labels
        return dict(
            loss_mdd=self.loss_weight * loss,
            disagreement=differs.float().mean() * 100,
            reversal=self.reversal.coefficient)


def _log_of_other_classes(scores: Tensor, labels: Tensor) -> Tensor:
    """Return log probability of all classes but one: ``log(1 - p[label])``.

    The other classes are summed rather than one subtracted, which keeps the
    value and the gradient finite where ``p[label]`` rounds to 1.

    Args:
        scores (Tensor): Class scores before softmax, shape ``(N, C)``.
        labels (Tensor): The class to leave out, shape ``(N, )``.

    Returns:
        Tensor: Shape ``(N, )``.
    """
    others = scores.log_softmax(dim=1).scatter(1, labels[:, None],
                                               -float('inf'))
    return others.logsumexp(dim=1)
