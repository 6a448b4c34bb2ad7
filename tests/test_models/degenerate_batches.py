"""Batches at which a loss may break down, for the tests of several heads."""
from __future__ import annotations

import torch

from mmgh.models import DomainOutput

# Features and class scores, for each domain.
DEGENERATE = {
    'two images': (torch.randn(2, 2, 6), torch.randn(2, 2, 3)),
    'identical features': (torch.ones(2, 4, 6), torch.zeros(2, 4, 3)),
    'zero features': (torch.zeros(2, 4, 6), torch.randn(2, 4, 3)),
    'large features': (1e6 * torch.randn(2, 4, 6), torch.randn(2, 4, 3)),
    'one class': (torch.randn(2, 4, 6), torch.tensor([5., 0., 0.]).expand(
        2, 4, 3)),
    'confident, one class': (torch.randn(2, 4, 6), torch.tensor(
        [1e4, 0., -1e4]).expand(2, 4, 3)),
}


def make_outputs(features, logits) -> list[DomainOutput]:
    """Leaves of the graph, from values for each domain."""
    return [
        DomainOutput(f.clone().requires_grad_(), y.clone().requires_grad_())
        for f, y in zip(features, logits)
    ]


def assert_finite(head, outputs) -> None:
    """The losses, and their gradients on outputs and parameters."""
    losses = head.loss(*outputs)
    total = sum(value for key, value in losses.items() if 'loss' in key)
    total.backward()
    assert total.isfinite()
    tensors = [tensor for output in outputs for tensor in output[:2]]
    for tensor in [*tensors, *head.parameters()]:
        assert tensor.grad is None or tensor.grad.isfinite().all()
