from __future__ import annotations

# The base of every MMEngine schedule is private by name, but is what its
# documentation tells to derive from.
from mmengine.optim import _ParamScheduler
from mmengine.optim.scheduler.lr_scheduler import LRSchedulerMixin
from mmengine.optim.scheduler.param_scheduler import INF

from mmgh.arguments import number
from mmgh.input_error import InputError
from mmgh.registry import PARAM_SCHEDULERS


@PARAM_SCHEDULERS.register_module()
class InverseDecayLR(LRSchedulerMixin, _ParamScheduler):
    r"""The schedule that domain-adaptation recipes call ``inv``.

    .. math::
        lr_i = lr_0 (1 + \gamma i)^{-p}

    It multiplies the current rate, so it combines with a warm-up.

    Args:
        optimizer (Optimizer | OptimWrapper): Wrapped optimizer.
        gamma (float): Speed of the decay per step. Defaults to 0.001.
        power (float): Exponent ``p``. Defaults to 0.75.
        **kwargs: ``begin``, ``end``, ``last_step``, ``by_epoch``, ``verbose``
            of MMEngine's schedulers. Recipes count iterations:
            ``by_epoch=False``.

    Source: the published code of CDAN, GVB and GH; Ganin and Lempitsky
    (ICML 2015) with other constants.

    Example:
        >>> param_scheduler = dict(type='mmgh.InverseDecayLR', by_epoch=False)
    """

    def __init__(self,
                 optimizer,
                 gamma: float = 0.001,
                 power: float = 0.75,
                 **kwargs) -> None:
        number(at_least=0).check(gamma=gamma, power=power)
        self.gamma = gamma
        self.power = power
        super().__init__(optimizer, **kwargs)

    @classmethod
    def build_iter_from_epoch(cls,
                              *args,
                              epoch_length: int,
                              gamma: float = 0.001,
                              begin: int = 0,
                              end: int = INF,
                              by_epoch: bool = True,
                              **kwargs) -> InverseDecayLR:
        """Build the schedule that goes as far in each epoch, but iteration by
        iteration; MMEngine calls it for ``convert_to_iter_based=True``."""
        if not by_epoch:
            raise InputError('`by_epoch` should be True with '
                             '`convert_to_iter_based=True`, but got '
                             f'{by_epoch!r}.')
        return cls(
            *args,
            gamma=gamma / epoch_length,
            begin=int(begin * epoch_length),
            end=end if end == INF else int(end * epoch_length),
            by_epoch=False,
            **kwargs)

    def _get_value(self) -> list[float]:
        """Rate of each parameter group at the current step."""
        ratio = 1.
        if self.last_step > 0:
            ratio = (1 + self.gamma * self.last_step) / (
                1 + self.gamma * (self.last_step - 1))
        return [
            group[self.param_name] * ratio**-self.power
            for group in self.optimizer.param_groups
        ]
