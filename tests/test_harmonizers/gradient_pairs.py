"""Families of gradient pairs on which harmonizers must hold their promises."""
from __future__ import annotations

import math

import torch
from torch import Tensor


def pair_at_angle(degrees: float,
                  norm_ratio: float = 1.,
                  dtype: torch.dtype = torch.float64,
                  dim: int = 5) -> Tensor:
    """Two gradients, shape ``(2, dim)``, with this angle between them."""
    basis, _ = torch.linalg.qr(torch.randn(dim, 2, dtype=torch.float64))
    angle = math.radians(degrees)
    first = basis[:, 0]
    second = norm_ratio * (
        math.cos(angle) * basis[:, 0] + math.sin(angle) * basis[:, 1])
    return torch.stack([first, second]).to(dtype)


def gramian_of(gradients: Tensor) -> Tensor:
    return gradients @ gradients.T


def random_gramians(count: int) -> list[Tensor]:
    """Gramians of random pairs, float64, of any angle and norms."""
    scales = 10**(4 * torch.rand(count, 2, 1, dtype=torch.float64) - 2)
    gradients = torch.randn(count, 2, 3, dtype=torch.float64) * scales
    return list(gradients @ gradients.transpose(1, 2))


def angle_between(first: Tensor, second: Tensor) -> float:
    """In degrees."""
    return math.degrees(
        math.atan2(
            torch.linalg.norm(first / first.norm() * second.norm() -
                              second).item(),
            torch.linalg.norm(first / first.norm() * second.norm() +
                              second).item())) * 2
