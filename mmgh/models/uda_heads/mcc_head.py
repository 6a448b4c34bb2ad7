from __future__ import annotations

from torch import Tensor

from mmgh.arguments import number
from mmgh.registry import MODELS
from .domain_output import DomainOutput
from .uda_head import UDAHead


@MODELS.register_module()
class MCCHead(UDAHead):
    r"""MCC: predictions on the target should not confuse classes.

    It has no network of its own and looks at the target alone. With ``P`` the
    softmax of the logits over the temperature, shape ``(N, C)``, and a weight
    :math:`w_i = 1 + \exp(-H(p_i))` per sample, through which no gradient
    flows, the confusion of the classes and the loss are

    .. math::
        M = P^T \mathrm{diag}(w) P, \qquad
        L = \frac{1}{C} \sum_j \sum_{k \ne j} \frac{M_{jk}}{\sum_l M_{jl}}

    Args:
        in_channels (int): See :class:`UDAHead`.
        num_classes (int): See :class:`UDAHead`.
        temperature (float): Divides the logits: the larger it is, the more
            do overconfident predictions still tell of confusion. Defaults to
            2.5.
        loss_weight (float): Factor of the loss. Defaults to 1.
        init_cfg (dict, optional): Initialisation. Defaults to None.

    Source: Minimum Class Confusion for Versatile Domain Adaptation (ECCV
    2020), section 3.

    Example:
        >>> model = dict(
        ...     type='mmgh.UDAClassifier', uda_head=dict(type='mmgh.MCCHead'))
    """

    tasks = {'loss_mcc': 'alignment'}

    def __init__(self,
                 in_channels: int,
                 num_classes: int,
                 temperature: float = 2.5,
                 loss_weight: float = 1.,
                 init_cfg: dict | None = None) -> None:
        super().__init__(in_channels, num_classes, loss_weight, init_cfg)
        number(above=0).check(temperature=temperature)
        self.temperature = temperature

    def losses(self, source: DomainOutput,
               target: DomainOutput) -> dict[str, Tensor]:
        """Compute the alignment loss of one training iteration.

        Args:
            source (DomainOutput): Not used.
            target (DomainOutput): Of N target images.

        Returns:
            dict[str, Tensor]: ``loss_mcc``, in [0, 1) times the weight.
        """
        log_p = (target.logits / self.temperature).log_softmax(dim=1)
        p = log_p.exp()
        entropy = -(p * log_p).sum(dim=1, keepdim=True).detach()
        log_weights = (-entropy).exp().log1p()
        # Each row of M over its sum is a mean of predictions, in which sample
        # i has a share of w_i p_ij. As a softmax over the samples the shares
        # are finite for a class that no sample has a probability for.
        shares = (log_weights + log_p).softmax(dim=0)
        # Such a row sums to 1: what is not on its diagonal is confusion.
        diagonal = (shares * p).sum(dim=0)
        return dict(loss_mcc=self.loss_weight * (1 - diagonal.mean()))
