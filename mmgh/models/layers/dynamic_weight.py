from __future__ import annotations

import torch
from torch import Tensor, nn

from mmgh.arguments import COUNT
from .class_statistics import ClassStatistics

_INITIAL_VALUES = dict(
    value=0.5,
    max_distance=0.,
    min_discriminability=torch.inf,
    max_discriminability=0.)


class DynamicWeight(nn.Module):
    r"""How much alignment there should be, judged by the features.

    The weight :math:`T` is large where the domains are not aligned, and
    small where the classes cannot be told apart:

    .. math::
        T = \frac{A}{A + (1 - J)}

    ``A`` is the squared distance of the means of the source and the target
    features (the linear MMD), divided by the largest one so far. ``J`` is the
    smaller of the two domains' discriminability (see
    :class:`ClassStatistics`), between 0 for the smallest and 1 for the
    largest of any domain so far. Both are of the last epoch, which is a
    number of iterations. :math:`T` is 0.5 in the first two epochs (unless the
    means are equal): after the first ``A`` is 1 and ``J`` 0.

    All that counts is saved with the model, so that a resumed run goes on
    exactly. With several ranks the features of all of them count.

    Args:
        in_channels (int): Size of a feature vector.
        num_classes (int): Number of classes.
        epoch_iters (int): Iterations of an epoch. Defaults to 100.

    Source: Dynamic Weighted Learning for Unsupervised Domain Adaptation (CVPR
    2021). Normalised as in the published code, which however takes the trace
    of :math:`S_w^{-1} S_b` for ``J``, with whole scatter matrices.
    """

    def __init__(self,
                 in_channels: int,
                 num_classes: int,
                 epoch_iters: int = 100) -> None:
        super().__init__()
        COUNT.check(epoch_iters=epoch_iters)
        self.epoch_iters = epoch_iters
        self.iteration = 0
        """Iterations of the current epoch; a number, not a buffer, since
        looking at it must not wait for the device."""
        self.source = ClassStatistics(in_channels, num_classes)
        self.target = ClassStatistics(in_channels, num_classes)
        for name, value in _INITIAL_VALUES.items():
            self.register_buffer(name, torch.tensor(value))

    def restart_training(self) -> None:
        """Forget all that another training has counted."""
        for name, value in _INITIAL_VALUES.items():
            getattr(self, name).fill_(value)
        self._begin_epoch()

    def add(self, source: tuple[Tensor, Tensor],
            target: tuple[Tensor, Tensor]) -> None:
        """Count one training iteration; after the last one of an epoch,
        update ``value``.

        Args:
            source (tuple[Tensor, Tensor]): Features ``(N, D)`` and classes
                ``(N, )``.
            target (tuple[Tensor, Tensor]): Features ``(M, D)`` and predicted
                classes ``(M, )``.
        """
        self.source.add(*source)
        self.target.add(*target)
        self.iteration += 1
        if self.iteration >= self.epoch_iters:
            self._end_epoch()

    def _end_epoch(self) -> None:
        distance = (self.source.mean - self.target.mean).square().sum()
        criteria = torch.stack(
            [self.source.discriminability, self.target.discriminability])
        # Features that overflowed leave everything as it was.
        finite = distance.isfinite() & criteria.isfinite().all()
        for name, update in self._updates(distance, criteria).items():
            buffer = getattr(self, name)
            buffer.copy_(torch.where(finite, update, buffer))
        self._begin_epoch()

    def _begin_epoch(self) -> None:
        for domain in (self.source, self.target):
            domain.reset()
        self.iteration = 0

    def _updates(self, distance: Tensor,
                 criteria: Tensor) -> dict[str, Tensor]:
        """New values of the buffers, by name."""
        largest = torch.maximum(self.max_distance, distance)
        low = torch.minimum(self.min_discriminability, criteria.min())
        high = torch.maximum(self.max_discriminability, criteria.max())
        misalignment = _ratio(distance, largest)
        confusion = 1 - _ratio(criteria.min() - low, high - low)
        value = torch.where(
            misalignment + confusion > 0,
            _ratio(misalignment, misalignment + confusion), 0.5)
        return dict(
            value=value,
            max_distance=largest,
            min_discriminability=low,
            max_discriminability=high)

    def get_extra_state(self) -> Tensor:
        """Return what ``state_dict`` holds besides the buffers."""
        return torch.tensor(self.iteration)

    def set_extra_state(self, state: Tensor) -> None:
        """Go on where ``state_dict`` was taken."""
        self.iteration = int(state)


def _ratio(part: Tensor, whole: Tensor) -> Tensor:
    """Return ``part / whole``, or 0 if both are 0."""
    return part / whole.clamp(min=torch.finfo(whole.dtype).tiny)
