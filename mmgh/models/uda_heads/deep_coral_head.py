from __future__ import annotations

import torch
from torch import Tensor

from mmgh.arguments import FLAG
from mmgh.input_error import InputError
from mmgh.registry import MODELS
from .domain_output import DomainOutput
from .uda_head import UDAHead


@MODELS.register_module()
class DeepCORALHead(UDAHead):
    r"""Deep CORAL: the features of both domains have one covariance.

    .. math::
        \frac{1}{4 d^2} |C_s - C_t|_F^2

    with the covariances :math:`C` of the ``d`` features in the batch,
    unbiased. Nothing in this head is trained.

    Args:
        in_channels (int): See :class:`UDAHead`.
        num_classes (int): See :class:`UDAHead`.
        align_means (bool): Whether to add the distance of the means,
            :math:`|\mu_s - \mu_t|^2 / (4 d)`. The sum is a quarter of TLlib's
            loss. Defaults to False, as in the paper.
        loss_weight (float): Factor of the loss. Defaults to 1.
        init_cfg (dict, optional): Initialisation. Defaults to None.

    Source: Deep CORAL: Correlation Alignment for Deep Domain Adaptation (ECCV
    2016 workshops), eq. 1 to 3.

    Example:
        >>> model = dict(
        ...     type='mmgh.UDAClassifier',
        ...     uda_head=dict(type='mmgh.DeepCORALHead', loss_weight=10.))
    """

    tasks = {'loss_coral': 'alignment'}

    def __init__(self,
                 in_channels: int,
                 num_classes: int,
                 align_means: bool = False,
                 loss_weight: float = 1.,
                 init_cfg: dict | None = None) -> None:
        super().__init__(in_channels, num_classes, loss_weight, init_cfg)
        FLAG.check(align_means=align_means)
        self.align_means = align_means

    def losses(self, source: DomainOutput,
               target: DomainOutput) -> dict[str, Tensor]:
        """Compute the alignment loss of one training iteration.

        Args:
            source (DomainOutput): Of N >= 2 source images.
            target (DomainOutput): Of M >= 2 target images.

        Returns:
            dict[str, Tensor]: ``loss_coral``.
        """
        sizes = len(source.features), len(target.features)
        if min(sizes) < 2:
            raise InputError('A covariance needs at least 2 samples of each '
                             'domain, but got {} and {}.'.format(*sizes))
        # Sums of squares may overflow in half precision.
        with torch.autocast(source.features.device.type, enabled=False):
            source_mean, source_covariance = _moments(source.features.float())
            target_mean, target_covariance = _moments(target.features.float())
            loss = (source_covariance - target_covariance).square().mean() / 4
            if self.align_means:
                loss = loss + (source_mean - target_mean).square().mean() / 4
        return dict(loss_coral=self.loss_weight * loss)


def _moments(features: Tensor) -> tuple[Tensor, Tensor]:
    """Compute mean ``(D, )``, covariance ``(D, D)`` of features ``(N, D)``."""
    mean = features.mean(dim=0)
    centred = features - mean
    return mean, centred.T @ centred / (len(features) - 1)
