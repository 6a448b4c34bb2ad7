from __future__ import annotations

from torch import Tensor

from mmgh.models.layers import singular_values
from mmgh.registry import MODELS
from .domain_output import DomainOutput
from .uda_head import UDAHead


@MODELS.register_module()
class BNMHead(UDAHead):
    r"""BNM: predictions on the target should be certain, and of many classes.

    It has no network of its own and looks at the target alone. With ``P`` the
    softmax of the logits, shape ``(N, C)``, the loss is minus its nuclear
    norm, the sum of its singular values:

    .. math::
        L = - \frac{1}{N} \lVert P \rVert_*

    The norm is largest, :math:`\sqrt{N \min(N, C)}`, where all predictions
    are certain and all classes are predicted equally often.

    Args:
        in_channels (int): See :class:`UDAHead`.
        num_classes (int): See :class:`UDAHead`.
        loss_weight (float): Factor of the loss. Defaults to 1.
        init_cfg (dict, optional): Initialisation. Defaults to None.

    Source: Towards Discriminability and Diversity: Batch Nuclear-norm
    Maximization under Label Insufficient Situations (CVPR 2020), section 3.

    Example:
        >>> model = dict(
        ...     type='mmgh.UDAClassifier', uda_head=dict(type='mmgh.BNMHead'))
    """

    tasks = {'loss_bnm': 'alignment'}

    def losses(self, source: DomainOutput,
               target: DomainOutput) -> dict[str, Tensor]:
        """Compute the alignment loss of one training iteration.

        Args:
            source (DomainOutput): Not used.
            target (DomainOutput): Of N target images.

        Returns:
            dict[str, Tensor]: ``loss_bnm``, which is negative.
        """
        norm = singular_values(target.logits.softmax(dim=1)).sum()
        return dict(loss_bnm=-self.loss_weight * norm / len(target.logits))
