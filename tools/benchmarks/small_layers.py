"""A network of many small layers, where each operation counts."""
from __future__ import annotations

# Before anything of OpenMMLab: it may repair an import of theirs.
import mmgh  # noqa: F401

# isort: split
import torch
from mmengine.model import BaseModel
from torch import Tensor, nn

from mmgh.task_losses import TaskLossMixin

WIDTH = 64


class SmallLayers(TaskLossMixin, BaseModel):
    """Layers that all tasks share, and a head for each task.

    Args:
        num_layers (int): Of the shared part.
        num_tasks (int): K.
    """

    last_stage = 'backbone.last'

    def __init__(self, num_layers: int, num_tasks: int) -> None:
        super().__init__()
        self.tasks = {f'loss_{i}': str(i) for i in range(num_tasks)}
        self.backbone = Backbone(num_layers)
        self.heads = nn.ModuleList(
            nn.Linear(WIDTH, 1) for _ in range(num_tasks))

    def forward(self, inputs: Tensor, mode: str = 'loss') -> dict:
        return self.losses_at(self.backbone(inputs), self.losses_of_heads)

    def losses_of_heads(self, features: tuple[Tensor]) -> dict:
        return {
            f'loss_{i}': head(features[0]).square().mean()
            for i, head in enumerate(self.heads)
        }


class Backbone(nn.Module):
    """The shared layers; returns a tuple, as those of mmpretrain do."""

    def __init__(self, num_layers: int) -> None:
        super().__init__()
        layers = [
            nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.Tanh())
            for _ in range(num_layers)
        ]
        self.first = nn.Sequential(*layers[:-1])
        self.last = layers[-1]

    def forward(self, inputs: Tensor) -> tuple[Tensor]:
        return (self.last(self.first(inputs)), )


def make_batch() -> dict[str, Tensor]:
    return dict(inputs=torch.randn(32, WIDTH))
