from __future__ import annotations

from torch import Tensor

from mmgh.arguments import number
from mmgh.models.layers import prediction_entropy
from mmgh.registry import MODELS
from .domain_output import DomainOutput
from .uda_head import UDAHead


@MODELS.register_module()
class AFNHead(UDAHead):
    r"""AFN: the features of both domains grow step by step (SAFN).

    The loss of a domain is

    .. math::
        \frac{1}{n} \sum_i (|f_i| - |\hat f_i| - \Delta)^2

    where :math:`\hat f` is :math:`f` as a constant: whatever the norm is, it
    should be larger by :math:`\Delta`. So the loss itself is constant; the
    norms are what to look at. Nothing in this head is trained.

    Args:
        in_channels (int): See :class:`UDAHead`.
        num_classes (int): See :class:`UDAHead`.
        delta (float): Step :math:`\Delta` of the norm. Defaults to 1.
        entropy_weight (float): Factor of the mean entropy of the predictions
            on the target, a loss of its own. TLlib takes 0.1 on Office-31.
            Defaults to 0: without.
        loss_weight (float): Factor of the sum of both domains' losses.
            Defaults to 0.05, as in the published code.
        init_cfg (dict, optional): Initialisation. Defaults to None.

    Source: Larger Norm More Transferable: An Adaptive Feature Norm Approach
    for Unsupervised Domain Adaptation (ICCV 2019), eq. 5 to 7.

    Example:
        >>> model = dict(
        ...     type='mmgh.UDAClassifier', uda_head=dict(type='mmgh.AFNHead'))
    """

    tasks = {'loss_norm': 'alignment', 'loss_entropy': 'alignment'}

    def __init__(self,
                 in_channels: int,
                 num_classes: int,
                 delta: float = 1.,
                 entropy_weight: float = 0.,
                 loss_weight: float = 0.05,
                 init_cfg: dict | None = None) -> None:
        super().__init__(in_channels, num_classes, loss_weight, init_cfg)
        number(above=0).check(delta=delta)
        number(at_least=0).check(entropy_weight=entropy_weight)
        self.delta = delta
        self.entropy_weight = entropy_weight

    def losses(self, source: DomainOutput,
               target: DomainOutput) -> dict[str, Tensor]:
        """Compute the alignment loss of one training iteration.

        Args:
            source (DomainOutput): Of N source images.
            target (DomainOutput): Of M target images.

        Returns:
            dict[str, Tensor]: ``loss_norm``, with an ``entropy_weight``
            ``loss_entropy``, and for the log ``source_norm`` and
            ``target_norm``, the mean norms of the features.
        """
        norms = [output.features.norm(dim=1) for output in (source, target)]
        loss = sum(
            (norm - norm.detach() - self.delta).square().mean()
            for norm in norms)
        results = dict(
            loss_norm=self.loss_weight * loss,
            source_norm=norms[0].detach().mean(),
            target_norm=norms[1].detach().mean())
        if self.entropy_weight:
            entropy = prediction_entropy(target.logits).mean()
            results['loss_entropy'] = self.entropy_weight * entropy
        return results
