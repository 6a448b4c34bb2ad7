"""GH and GH++ as the published code computes them, from gradients in lists.

Written from the formulas alone: what our harmonizers do is not looked at.
"""
from __future__ import annotations

import math

import torch
from torch import Tensor


def harmonized_weights(form: str, first: Tensor, second: Tensor,
                       parameters: list[Tensor]) -> tuple[float, float]:
    """Weights of two losses by their gradients on these parameters; a
    harmonic range of 0.5, and no bound."""
    g1, g2 = (
        torch.cat([
            g.flatten() for g in torch.autograd.grad(
                loss, parameters, retain_graph=True)
        ]) for loss in (first, second))
    product = (g1 @ g2).item()
    if product >= 0:
        return 1., 1.
    if form == 'GH':
        return (1 - product / g1.square().sum().item(),
                1 - product / g2.square().sum().item())
    angle = math.acos(product / (g1.norm() * g2.norm()).item())
    turn = (angle - math.pi / 2) / 2
    return 1 + 2 * math.sin(turn / 2), 1 - 2 * math.sin(turn / 2)
