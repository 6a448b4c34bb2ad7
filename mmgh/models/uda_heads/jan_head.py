from __future__ import annotations

from typing import Sequence

from torch import Tensor

from mmgh.arguments import number
from mmgh.models.layers import GaussianKernel, MultiKernelMMD
from mmgh.registry import MODELS
from .domain_output import DomainOutput
from .uda_head import UDAHead


@MODELS.register_module()
class JANHead(UDAHead):
    """JAN: features and predictions together have a small joint MMD.

    As DAN, but the kernel of two images is the product of one on the features
    and one on the softmax predictions, so that their joint distribution is
    aligned. The gradient flows through both: it also reaches the
    classification head.

    Args:
        in_channels (int): See :class:`UDAHead`.
        num_classes (int): See :class:`UDAHead`.
        alphas (Sequence[float]): Widths of the kernels on the features, see
            :class:`DANHead`.
        prediction_sigma (float): Standard deviation of the kernel on the
            predictions. Defaults to 0.92, as in TLlib.
        linear (bool): Which estimate, see :class:`MultiKernelMMD`. Defaults
            to False, as in TLlib.
        loss_weight (float): Factor of the loss. Defaults to 1.
        init_cfg (dict, optional): Initialisation. Defaults to None.

    Source: Deep Transfer Learning with Joint Adaptation Networks (ICML 2017),
    eq. 7 to 9.

    Example:
        >>> model = dict(
        ...     type='mmgh.UDAClassifier', uda_head=dict(type='mmgh.JANHead'))
    """

    tasks = {'loss_jmmd': 'alignment'}

    def __init__(self,
                 in_channels: int,
                 num_classes: int,
                 alphas: Sequence[float] = (0.125, 0.25, 0.5, 1., 2.),
                 prediction_sigma: float = 0.92,
                 linear: bool = False,
                 loss_weight: float = 1.,
                 init_cfg: dict | None = None) -> None:
        super().__init__(in_channels, num_classes, loss_weight, init_cfg)
        number(above=0).check(prediction_sigma=prediction_sigma)
        kernels = [
            GaussianKernel(alphas),
            GaussianKernel([1.], variance=prediction_sigma**2),
        ]
        self.joint_mmd = MultiKernelMMD(kernels, linear)

    def losses(self, source: DomainOutput,
               target: DomainOutput) -> dict[str, Tensor]:
        """Compute the alignment loss of one training iteration.

        Args:
            source (DomainOutput): Of N >= 2 source images.
            target (DomainOutput): Of M >= 2 target images.

        Returns:
            dict[str, Tensor]: ``loss_jmmd``.
        """
        layers = [[output.features, output.logits.softmax(dim=1)]
                  for output in (source, target)]
        return dict(loss_jmmd=self.loss_weight * self.joint_mmd(*layers))
