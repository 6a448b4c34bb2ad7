from __future__ import annotations

from typing import Callable, NamedTuple

import torch
from mmengine.utils import apply_to
from torch import Tensor, nn

from mmgh.classifier_outputs import scores_of


class DomainOutput(NamedTuple):
    """What a classifier says of a batch of one domain."""

    features: Tensor
    """Input of the last classification layer, shape ``(N, D)``."""

    logits: Tensor
    """Class scores before softmax, shape ``(N, C)``."""

    head: nn.Module | None = None
    """The classification head, which belongs to the classifier."""

    head_inputs: tuple = ()
    """What enters the head: nested tuples of tensors."""

    labels: Tensor | None = None
    """Classes of the source, shape ``(N, )``, or where its images are mixed
    their scores, ``(N, C)``. Always None for the target."""

    def classify(self, function: Callable[[Tensor], Tensor]) -> Tensor:
        """Class scores with a function, such as gradient reversal, applied to
        what enters the head; shape ``(N, C)``."""
        return scores_of(
            self.head, apply_to(self.head_inputs, torch.is_tensor, function))
