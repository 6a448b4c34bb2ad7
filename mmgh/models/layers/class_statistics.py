from __future__ import annotations

import torch
from mmengine.dist import all_reduce
from torch import Tensor, nn

from mmgh.arguments import COUNT


class ClassStatistics(nn.Module):
    r"""Mean and discriminability of labelled features that come in batches.

    The features themselves are not kept: the number and the mean
    :math:`\mu_c` of the features of each class, and the trace of their
    within-class scatter, are updated with each batch and are enough. They are
    buffers, so they are saved with the model.

    Args:
        in_channels (int): Size of a feature vector.
        num_classes (int): Number of classes.

    Source: Chan, Golub and LeVeque, Updating Formulae and a Pairwise
    Algorithm for Computing Sample Variances (1979), eq. 2.1.
    """

    def __init__(self, in_channels: int, num_classes: int) -> None:
        super().__init__()
        COUNT.check(in_channels=in_channels, num_classes=num_classes)
        self.register_buffer('counts', torch.zeros(num_classes))
        self.register_buffer('means', torch.zeros(num_classes, in_channels))
        self.register_buffer('within', torch.zeros(()))

    @torch.no_grad()
    def add(self, features: Tensor, labels: Tensor) -> None:
        """Count a batch, of all ranks: their buffers never differ.

        Args:
            features (Tensor): Shape ``(N, D)``.
            labels (Tensor): Their classes, integers of shape ``(N, )``.
        """
        features = features.to(self.means)
        counts = torch.zeros_like(self.counts).index_add_(
            0, labels, features.new_ones(len(labels)))
        means = torch.zeros_like(self.means).index_add_(0, labels, features)
        all_reduce(counts)
        all_reduce(means)
        means /= counts.clamp(min=1)[:, None]
        within = (features - means[labels]).square().sum()
        all_reduce(within)

        total = self.counts + counts
        share = counts / total.clamp(min=1)
        shift = means - self.means
        self.within += within + _scatter(self.counts * share, shift)
        self.means += share[:, None] * shift
        self.counts.copy_(total)

    def reset(self) -> None:
        """Forget all that was counted."""
        for buffer in self.buffers():
            buffer.zero_()

    @property
    def mean(self) -> Tensor:
        """Mean of all features, shape ``(D, )``."""
        sums = (self.counts[:, None] * self.means).sum(dim=0)
        return sums / self.counts.sum().clamp(min=1)

    @property
    def discriminability(self) -> Tensor:
        r"""How far the classes are apart compared to how wide they are.

        The criterion of linear discriminant analysis, by its traces, with
        ``N`` features ``x`` of which :math:`N_c` are of the class ``c``:

        .. math::
            J = \frac{\mathrm{tr} S_b}{\mathrm{tr} S_w} = \frac
            {\sum_c N_c |\mu_c - \mu|^2} {\sum_c \sum_{x \in c} |x - \mu_c|^2}

        Returns:
            Tensor: Scalar from 0 (one class, or equal means) to 1e6 (a single
            point per class).
        """
        between = _scatter(self.counts, self.means - self.mean)
        floor = (1e-6 * between).clamp(min=torch.finfo(between.dtype).tiny)
        return between / torch.maximum(self.within, floor)


def _scatter(weights: Tensor, differences: Tensor) -> Tensor:
    """Weighted sum of squared norms of ``(C, D)`` differences."""
    return (weights * differences.square().sum(dim=1)).sum()
