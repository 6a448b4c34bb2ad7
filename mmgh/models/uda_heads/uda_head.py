from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Mapping

from mmengine.model import BaseModule
from torch import Tensor

from .domain_output import DomainOutput


class UDAHead(BaseModule, ABC):
    """Base of the UDA heads: losses that align source and target.

    Args:
        in_channels (int): Size of a feature vector. ``UDAClassifier`` fills
            it in from its classification head.
        num_classes (int): Number of classes, likewise.
        loss_weight (float): Factor of the alignment loss. Defaults to 1.
        init_cfg (dict, optional): Initialisation. Defaults to None.
    """

    tasks: Mapping[str, str]
    """The task of each loss: ``'alignment'``, or ``'cls'`` for what belongs to
    the classification."""

    def __init__(self,
                 in_channels: int,
                 num_classes: int,
                 loss_weight: float = 1.,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        if not (isinstance(loss_weight, (int, float)) and loss_weight >= 0):
            raise ValueError('`loss_weight` should be a number of at least 0, '
                             f'but got {loss_weight!r}.')
        self.in_channels = in_channels
        self.num_classes = num_classes
        self.loss_weight = loss_weight

    @abstractmethod
    def loss(self, source: DomainOutput,
             target: DomainOutput) -> dict[str, Tensor]:
        """Losses of one training iteration.

        Args:
            source (DomainOutput): Of N source images.
            target (DomainOutput): Of M target images.

        Returns:
            dict[str, Tensor]: A scalar ``loss_<name>`` for each name in
            ``tasks``, and what is logged besides.
        """
