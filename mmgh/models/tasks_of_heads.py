from __future__ import annotations

from typing import Mapping

from torch import Tensor

from mmgh.input_error import InputError
from mmgh.task_losses import Pairs, TaskLossMixin
from .uda_heads import UDAHead


class TasksOfHeads(TaskLossMixin):
    """What a model with a ``uda_head`` says of its tasks: ``cls`` has all that
    its other heads return, and of the rest the UDA head knows."""

    uda_head: UDAHead
    # Names, as the other heads returned them last.
    _cls_losses: tuple[str, ...] = ()

    @property
    def pairs(self) -> Pairs:
        """Which tasks are harmonized with each other: a fact of the method."""
        return self.uda_head.pairs

    @property
    def factors(self) -> Mapping[str, Tensor]:
        """What harmonizers do not see of the losses of the last iteration."""
        return self.uda_head.factors

    @property
    def tasks(self) -> dict[str, str]:
        """The task of each loss of all heads."""
        return {
            **dict.fromkeys(self._cls_losses, 'cls'),
            **self.uda_head.tasks
        }

    def joined(self, losses: dict[str, Tensor],
               uda_losses: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the losses of all heads.

        Args:
            losses (dict[str, Tensor]): Of the task ``cls``.
            uda_losses (dict[str, Tensor]): Of the UDA head.

        Raises:
            ValueError: If a name is in both.
        """
        clash = sorted(set(losses) & set(uda_losses))
        if clash:
            raise InputError('Both heads return the names '
                             f'{clash}; rename those of the UDA head.')
        self._cls_losses = tuple(losses)
        return {**uda_losses, **losses}
