from __future__ import annotations

from torch import Tensor

from mmgh.arguments import COUNT, OPTIONS
from mmgh.models.layers import singular_values
from mmgh.registry import MODELS
from .domain_output import DomainOutput
from .uda_head import UDAHead


@MODELS.register_module()
class BSPHead(UDAHead):
    r"""BSP: an adversarial head, and a penalty on large singular values.

    Adversarial alignment strengthens the few directions in which features are
    easy to align, at the cost of those that tell classes apart. The penalty

    .. math::
        \sum_{i=1}^k (\sigma_{source, i}^2 + \sigma_{target, i}^2)

    on the ``k`` largest singular values of the features of each domain, shape
    ``(N, D)``, holds against it. It belongs to the task ``alignment``.

    Args:
        in_channels (int): See :class:`UDAHead`.
        num_classes (int): See :class:`UDAHead`.
        adversary (dict, optional): Options of the adversarial head. Its
            ``type`` defaults to :class:`DANNHead`; another one is
            :class:`CDANHead`.
        num_values (int): ``k``. Defaults to 1.
        loss_weight (float): Factor of the penalty; the adversarial head has
            its own. The sum is not divided by the batch size. Defaults to
            1e-4.
        init_cfg (dict, optional): Initialisation. Defaults to None.

    Source: Transferability vs. Discriminability: Batch Spectral Penalization
    for Adversarial Domain Adaptation (ICML 2019), section 4.

    Example:
        >>> model = dict(
        ...     type='mmgh.UDAClassifier',
        ...     uda_head=dict(
        ...         type='mmgh.BSPHead',
        ...         adversary=dict(type='mmgh.CDANHead', entropy='reversed')))
    """

    def __init__(self,
                 in_channels: int,
                 num_classes: int,
                 adversary: dict | None = None,
                 num_values: int = 1,
                 loss_weight: float = 1e-4,
                 init_cfg: dict | None = None) -> None:
        super().__init__(in_channels, num_classes, loss_weight, init_cfg)
        COUNT.check(num_values=num_values)
        OPTIONS.or_none().check(adversary=adversary)
        self.num_values = num_values
        self.adversary = MODELS.build({
            'type': 'mmgh.DANNHead',
            'in_channels': in_channels,
            'num_classes': num_classes,
            **(adversary or {})
        })
        self.tasks = {**self.adversary.tasks, 'loss_spectral': 'alignment'}
        self.pairs = self.adversary.pairs
        self.single_label = self.adversary.single_label

    def losses(self, source: DomainOutput,
               target: DomainOutput) -> dict[str, Tensor]:
        """Compute the alignment losses of one training iteration.

        Args:
            source (DomainOutput): Of N source images.
            target (DomainOutput): Of M target images.

        Returns:
            dict[str, Tensor]: What the adversarial head returns, and
            ``loss_spectral``.
        """
        penalty = (
            self._largest_squares(source.features) +
            self._largest_squares(target.features))
        return dict(
            self.adversary.loss(source, target),
            loss_spectral=self.loss_weight * penalty)

    def _largest_squares(self, features: Tensor) -> Tensor:
        """Return the scalar sum of the largest squared singular values."""
        return singular_values(features)[:self.num_values].square().sum()
