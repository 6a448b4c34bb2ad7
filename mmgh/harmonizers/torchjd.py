from __future__ import annotations

import math

import torch
from mmengine.dist import broadcast
from torch import Tensor

from mmgh.arguments import NAME, list_of, number
from mmgh.input_error import InputError
from mmgh.registry import TASK_UTILS
from .harmonizer import Harmonizer
from .torchjd_memory import load_memory, memory_of

# torchjd gives these the gradients themselves, but their weights, or for
# ConFIG the weighted sum, depend on inner products alone. Not so ExcessMTL.
_MATRIX_METHODS = ('ConFIG', 'Constant', 'Mean', 'NashMTL', 'Random', 'Sum')

# These add to each gradient what it lacks along others.
_LENGTHENING = ('DualProj', 'GradVac', 'PCGrad', 'UPGrad')


@TASK_UTILS.register_module()
class TorchJD(Harmonizer):
    r"""Weighs by a method of torchjd, such as UPGrad, CAGrad or MGDA.

    Needs torchjd 0.12 or newer, for most methods with an extra, such as in
    ``pip install torchjd[cagrad]``; ``torchjd[full]`` has all.

    torchjd sees the Gramian divided by the mean of its diagonal, in float64,
    on the CPU. So the weights do not depend on the scale of the losses, in
    spite of constants such as ``norm_eps``. What depends on it in torchjd
    (``max_norm`` and the step length of NashMTL, the weights of FairGrad)
    is relative to the root mean square norm of the task gradients here.

    All weights are 1 where torchjd has no answer: a zero gradient, a Gramian
    or a weight that is not finite.

    The optim wrapper bounds the weights by the number of tasks; with its
    ``max_weight=float('inf')`` they are torchjd's.

    The memory of a method (NashMTL, GradVac, PCD) is in the checkpoints.

    Args:
        name (str): Aggregator of torchjd whose weights depend on the inner
            products of the gradients alone.
        scale (float, optional): Factor of all weights. Defaults to None: the
            mean weight of orthogonal gradients of equal norm becomes 1. Many
            methods weigh for the mean of the losses, but learning rates are
            tuned for the sum.
        **kwargs: Arguments of the aggregator. A list becomes a tensor.

    Source: https://torchjd.org, where each method names its paper.

    Example:
        >>> optim_wrapper = dict(
        ...     type='mmgh.GHOptimWrapper',
        ...     harmonizer=dict(type='mmgh.TorchJD', name='CAGrad', c=0.5))
    """

    def __init__(self, name: str, scale: float | None = None, **kwargs):
        NAME.check(name=name)
        number(above=0).or_none().check(scale=scale)
        _check_numbers(kwargs)
        self.name = name
        self.scale = scale
        self._kwargs = {
            key: torch.as_tensor(value, dtype=torch.float64, device='cpu')
            if isinstance(value, (list, tuple, Tensor)) else value
            for key, value in kwargs.items()
        }
        self._method = self._build()
        if name in _LENGTHENING and scale is None and not kwargs:
            self.min_weight = 1
        self._default_scales: dict[int, float] = {}
        # Of the last comparison.
        self._last_num_tasks: int | None = None

    @torch.no_grad()
    def weigh(self, gramian: Tensor) -> Tensor:
        products = gramian.to('cpu', torch.float64)
        weights = torch.full_like(products[0], math.nan)
        if products.isfinite().all() and (products.diagonal() > 0).all():
            self._last_num_tasks = len(products)
            scale = self.scale or self._default_scale(len(products))
            products = products / products.diagonal().mean()
            weights = scale * _weigh(self._method, products)
        weights = weights.to(gramian.dtype)
        if not weights.isfinite().all():
            weights = torch.ones_like(weights)
        # Some methods are random, and each rank may have a seed of its own.
        broadcast(weights)
        return weights.to(gramian.device)

    def state_dict(self) -> dict:
        """Return the memory of the method, which depends on the tasks."""
        if self._last_num_tasks is None:
            return {}
        memory = memory_of(self._method)
        if not memory:
            return {}
        return dict(num_tasks=self._last_num_tasks, memory=memory)

    def load_state_dict(self, state_dict: dict) -> None:
        """Take over the memory of the same method."""
        self._last_num_tasks = state_dict['num_tasks']
        self._method = self._build()
        self._first_weights(self._method, self._last_num_tasks)
        load_memory(self._method, state_dict['memory'])

    def _default_scale(self, num_tasks: int) -> float:
        if num_tasks not in self._default_scales:
            # The memory of the method may not notice.
            mean = self._first_weights(self._build(), num_tasks).mean().item()
            if not mean > 0:
                raise InputError('`scale` should be given, since the mean '
                                 f'weight of this {self.name} is {mean}.')
            self._default_scales[num_tasks] = 1 / mean
        return self._default_scales[num_tasks]

    @staticmethod
    def _first_weights(method, num_tasks: int) -> Tensor:
        """Weigh orthogonal gradients of equal norm; the random numbers of the
        training do not notice."""
        with torch.random.fork_rng(devices=[]):
            return _weigh(method, torch.eye(num_tasks, dtype=torch.float64))

    def _build(self):
        # Not an ImportError: MMEngine's registry swallows that one.
        try:
            methods = _methods()
            if self.name not in methods:
                raise InputError(
                    f'`name` should be one of {sorted(methods)}, but got '
                    f'{self.name!r}. (Not all of torchjd: the weights must '
                    'follow from the inner products of the gradients.)')
            return methods[self.name](**self._kwargs)
        except ImportError as error:
            raise RuntimeError(
                f'{self.name} needs torchjd>=0.12 (`pip install torchjd`), '
                'maybe with an extra such as `torchjd[cagrad]`, but importing '
                f'it failed: {error}') from error


def _check_numbers(kwargs: dict) -> None:
    """Refuse what would leave torchjd without an answer, and all weights 1."""
    for name, value in kwargs.items():
        if isinstance(value, (list, tuple)):
            list_of(number()).check(**{name: value})
        elif isinstance(value, float):
            number().check(**{name: value})


def _methods() -> dict[str, type]:
    """Return the methods that a Gramian is enough for, by name."""
    from torchjd import aggregation
    from torchjd.aggregation import GramianWeightedAggregator as Base
    return {
        name: value
        for name, value in vars(aggregation).items()
        if name in _MATRIX_METHODS or isinstance(value, type)
        and issubclass(value, Base) and value is not Base
    }


def _weigh(method, products: Tensor) -> Tensor:
    if hasattr(method, 'gramian_weighting'):
        return method.gramian_weighting(products)
    values, vectors = torch.linalg.eigh(products)
    gradients = vectors * values.clamp(min=0).sqrt()  # with these products
    if type(method).__name__ == 'ConFIG':  # tells the weighted sum only
        return torch.linalg.pinv(gradients.T) @ method(gradients)
    return method.weighting(gradients)
