"""A small UDA-like model, and data on which its gradients conflict or not."""
from __future__ import annotations

import torch
import torch.nn.functional as F
from mmengine.model import BaseModel
from torch import Tensor, nn

from mmgh.task_losses import TaskLossMixin


class TwoTaskModel(TaskLossMixin, BaseModel):
    """A shared trunk with two heads; no batch norm."""

    tasks = dict(loss_alignment='alignment', loss_cls='cls')

    def __init__(self, sign: float = -1.) -> None:
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(4, 8), nn.Tanh())
        self.classifier = nn.Linear(8, 1)
        self.discriminator = nn.Linear(8, 1)
        self.sign = sign

    def forward(self, inputs: Tensor, labels: Tensor, mode: str = 'loss'):
        return self.losses_at(
            self.trunk(inputs), self.losses_of_heads, labels)

    def losses_of_heads(self, features: Tensor, labels: Tensor) -> dict:
        scores = self.classifier(features).squeeze(1)
        domain = self.discriminator(features).squeeze(1)
        return dict(
            loss_alignment=F.mse_loss(domain, self.sign * labels),
            loss_cls=F.mse_loss(scores, labels),
            mean_score=scores.mean())


def make_model(conflict: bool) -> TwoTaskModel:
    """Both heads start alike; their targets are opposite, or the same."""
    torch.manual_seed(3)
    model = TwoTaskModel(sign=-1. if conflict else 1.)
    model.discriminator.load_state_dict(model.classifier.state_dict())
    with torch.no_grad():  # not exactly (anti)parallel
        model.discriminator.weight.add_(0.1)
    return model


def make_batch(size: int = 12, seed: int = 0) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(size, 4, generator=generator)
    return dict(inputs=inputs, labels=3 + inputs.sum(1))


def total_loss(model: TwoTaskModel, batch: dict) -> Tensor:
    """The total with its task losses, as a train step gets it."""
    return model.parse_losses(model(**batch))[0]
