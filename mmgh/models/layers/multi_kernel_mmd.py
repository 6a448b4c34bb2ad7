from __future__ import annotations

from typing import Sequence

import torch
from torch import Tensor, nn

from mmgh.arguments import FLAG
from mmgh.input_error import InputError


class MultiKernelMMD(nn.Module):
    r"""Squared maximum mean discrepancy (MMD) of two samples, unbiased.

    .. math::
        \frac{\sum_{i \ne j} k(s_i, s_j)}{n (n - 1)}
        + \frac{\sum_{i \ne j} k(t_i, t_j)}{m (m - 1)}
        - \frac{2 \sum_{i, j} k(s_i, t_j)}{n m}

    With several layers ``k`` is the product of their kernels: the joint MMD.
    The expectation is 0 where the distributions are equal, so an estimate may
    be negative.

    Args:
        kernels (Sequence[nn.Module]): One for each layer, which maps
            ``(N, D)`` to a kernel matrix ``(N, N)``.
        linear (bool): Whether to average over neighbours in the batch alone,
            :math:`k(s_i, s_{i+1}) + k(t_i, t_{i+1}) - k(s_i, t_{i+1})
            - k(s_{i+1}, t_i)`, the last before the first. It has the same
            expectation and a larger variance, and needs equal numbers of
            samples. Defaults to False.

    Source: A Kernel Two-Sample Test (JMLR 2012), eq. 3; the linear estimate
    over overlapping neighbours as in TLlib.
    """

    def __init__(self,
                 kernels: Sequence[nn.Module],
                 linear: bool = False) -> None:
        super().__init__()
        FLAG.check(linear=linear)
        self.kernels = nn.ModuleList(kernels)
        self.linear = linear

    def forward(self, source: Sequence[Tensor],
                target: Sequence[Tensor]) -> Tensor:
        """Compare the samples.

        Args:
            source (Sequence[Tensor]): ``(n, D_l)`` for each layer ``l``.
            target (Sequence[Tensor]): ``(m, D_l)`` for each layer ``l``.

        Returns:
            Tensor: A scalar.
        """
        n, m = len(source[0]), len(target[0])
        if min(n, m) < 2:
            raise InputError('The MMD needs at least 2 samples of each '
                             f'domain, but got {n} and {m}.')
        if self.linear and n != m:
            raise InputError('`linear=True` needs as many source samples as '
                             f'target samples, but got {n} and {m}.')
        matrix = 1.
        for kernel, s, t in zip(self.kernels, source, target):
            matrix = matrix * kernel(torch.cat([s, t]))
        within_source, across = matrix[:n, :n], matrix[:n, n:]
        within_target = matrix[n:, n:]
        if self.linear:
            differences = within_source + within_target - across - across.T
            return differences.roll(-1, dims=1).diagonal().mean()
        return (_mean_of_pairs(within_source) + _mean_of_pairs(within_target) -
                2 * across.mean())


def _mean_of_pairs(matrix: Tensor) -> Tensor:
    """Return the mean of what is not on the diagonal."""
    size = len(matrix)
    return (matrix.sum() - matrix.diagonal().sum()) / (size * (size - 1))
