from __future__ import annotations

from abc import ABC, abstractmethod
from types import MappingProxyType
from typing import Iterator, Mapping

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmgh.arguments import COUNT, number
from mmgh.input_error import InputError
from mmgh.models.layers import GradientReversal
from mmgh.task_losses import Pairs, check_pairs
from .domain_output import DomainOutput


class UDAHead(BaseModule, ABC):
    """Base of the UDA heads: losses that align source and target.

    A subclass names the task of each loss in ``tasks`` and computes them in
    :meth:`losses`. Names are checked, and every :class:`GradientReversal` of
    the head counts its iterations, in :meth:`loss`, which is the same for all.

    Args:
        in_channels (int): Size of a feature vector. ``UDAClassifier`` fills
            it in from its classification head.
        num_classes (int): Number of classes, likewise.
        loss_weight (float): Factor of the alignment loss. Defaults to 1.
        init_cfg (dict, optional): Initialisation. Defaults to None.
    """

    tasks: Mapping[str, str]
    """The task of each loss: ``'alignment'``, ``'cls'`` for what belongs to
    the classification, or a name of the head's own."""

    pairs: Pairs = (('alignment', 'cls'), )
    """Which tasks the method harmonizes with each other; of each pair the
    first is task 1."""

    factors: Mapping[str, Tensor] = MappingProxyType({})
    """By which the losses of tasks were multiplied in the last iteration, if
    harmonizers are to compare their gradients without it."""

    single_label: bool = False
    """Whether each source image should have one class, since the method
    classifies it by another classifier than the classification head."""

    def __init_subclass__(cls, **kwargs) -> None:
        super().__init_subclass__(**kwargs)
        if cls.loss is not UDAHead.loss:
            raise TypeError(
                f'`{cls.__name__}.loss` should be named `losses`: '
                '`UDAHead.loss` is the same for all heads, calls it, checks '
                'its names and advances the gradient reversals.')

    def __init__(self,
                 in_channels: int,
                 num_classes: int,
                 loss_weight: float = 1.,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        COUNT.check(in_channels=in_channels, num_classes=num_classes)
        number(at_least=0).check(loss_weight=loss_weight)
        self.in_channels = in_channels
        self.num_classes = num_classes
        self.loss_weight = loss_weight

    def loss(self, source: DomainOutput,
             target: DomainOutput) -> dict[str, Tensor]:
        """Compute the losses of one training iteration, and count it.

        A head within a head counts and checks when its own ``loss`` is called.

        Args:
            source (DomainOutput): Of N source images.
            target (DomainOutput): Of M target images.

        Returns:
            dict[str, Tensor]: What :meth:`losses` returns.

        Raises:
            KeyError: If a loss has no task: it would train as another one.
            TypeError: If there is no loss, or what is none has a gradient:
                without ``loss`` in its name it would not be trained.
        """
        losses = self.losses(source, target)
        self._check_losses(losses)
        if self.training:
            for reversal in set(_reversals_of(self)):
                reversal.advance()
        return losses

    @abstractmethod
    def losses(self, source: DomainOutput,
               target: DomainOutput) -> dict[str, Tensor]:
        """Compute the losses of the method; called by :meth:`loss` alone.

        Args:
            source (DomainOutput): Of N source images.
            target (DomainOutput): Of M target images.

        Returns:
            dict[str, Tensor]: A scalar ``loss_<name>`` for names in ``tasks``,
            and what is logged besides.
        """

    def check_tasks(self) -> None:
        """Refuse a head that does not say which tasks it has.

        Raises:
            TypeError: If it has no ``tasks``, or they are no losses.
            ValueError: If ``pairs`` name others than these and ``'cls'``.
        """
        name = type(self).__name__
        tasks = getattr(self, 'tasks', None)
        if not (tasks and isinstance(tasks, Mapping)
                and all('loss' in loss for loss in tasks)):
            raise TypeError(
                f'`{name}.tasks` should name the task of each loss, such as '
                f"dict(loss_domain='alignment'), but got {tasks!r}.")
        check_pairs(self.pairs)
        known = {'cls', *self.tasks.values()}
        unknown = {task for pair in self.pairs for task in pair} - known
        if unknown:
            raise InputError(
                f'`{name}.pairs` should pair tasks of the head, which are '
                f'{sorted(known)}, but got {sorted(unknown)}.')

    def _check_losses(self, losses: dict[str, Tensor]) -> None:
        name = type(self).__name__
        if not isinstance(losses, Mapping) or not any(
                'loss' in loss for loss in losses):
            raise TypeError(f'`{name}.losses` should return some of the '
                            f'losses {sorted(self.tasks)} by name, but '
                            f'returned {losses!r}.')
        unknown = sorted(loss for loss in losses
                         if 'loss' in loss and loss not in self.tasks)
        if unknown:
            raise KeyError(
                f'`{name}.tasks` should name the task of every loss, but has '
                f'none for {unknown}; it knows {sorted(self.tasks)}.')
        for logged, value in losses.items():
            if 'loss' not in logged and getattr(value, 'requires_grad', False):
                raise TypeError(
                    f'`{name}.losses` should name a loss `loss_...`, and '
                    f'detach what is only logged, but `{logged}` has a '
                    'gradient.')


def _reversals_of(module: nn.Module) -> Iterator[GradientReversal]:
    """Find those that belong to no head within the head."""
    for child in module.children():
        if isinstance(child, GradientReversal):
            yield child
        elif not isinstance(child, UDAHead):
            yield from _reversals_of(child)
