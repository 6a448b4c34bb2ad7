from __future__ import annotations

from typing import Sequence

from torch import Tensor

from mmgh.models.layers import GaussianKernel, MultiKernelMMD
from mmgh.registry import MODELS
from .domain_output import DomainOutput
from .uda_head import UDAHead


@MODELS.register_module()
class DANHead(UDAHead):
    """DAN: the features of both domains have a small multi-kernel MMD.

    The loss is the squared maximum mean discrepancy of the features, with a
    sum of Gaussian kernels whose widths follow the features. Nothing in this
    head is trained.

    Args:
        in_channels (int): See :class:`UDAHead`.
        num_classes (int): See :class:`UDAHead`.
        alphas (Sequence[float]): Widths of the kernels in units of the mean
            squared distance, see :class:`GaussianKernel`. Defaults to five
            powers of 2 from 1/8 to 2.
        linear (bool): Which estimate, see :class:`MultiKernelMMD`. TLlib's
            training script takes the linear one. Defaults to False.
        loss_weight (float): Factor of the loss. Defaults to 1.
        init_cfg (dict, optional): Initialisation. Defaults to None.

    Source: Learning Transferable Features with Deep Adaptation Networks (ICML
    2015), eq. 1 to 5; equal weights of the kernels as in TLlib.

    Example:
        >>> model = dict(
        ...     type='mmgh.UDAClassifier', uda_head=dict(type='mmgh.DANHead'))
    """

    tasks = {'loss_mmd': 'alignment'}

    def __init__(self,
                 in_channels: int,
                 num_classes: int,
                 alphas: Sequence[float] = (0.125, 0.25, 0.5, 1., 2.),
                 linear: bool = False,
                 loss_weight: float = 1.,
                 init_cfg: dict | None = None) -> None:
        super().__init__(in_channels, num_classes, loss_weight, init_cfg)
        self.mmd = MultiKernelMMD([GaussianKernel(alphas)], linear)

    def losses(self, source: DomainOutput,
               target: DomainOutput) -> dict[str, Tensor]:
        """Compute the alignment loss of one training iteration.

        Args:
            source (DomainOutput): Of N >= 2 source images.
            target (DomainOutput): Of M >= 2 target images.

        Returns:
            dict[str, Tensor]: ``loss_mmd``.
        """
        mmd = self.mmd([source.features], [target.features])
        return dict(loss_mmd=self.loss_weight * mmd)
