from __future__ import annotations

from typing import Callable, NamedTuple, Optional

from torch import Tensor, nn

from mmgh.classifier_outputs import scores_of
from mmgh.nested import map_tensors


class DomainOutput(NamedTuple):
    """What a classifier says of a batch of one domain."""

    features: Tensor
    """Input of the last classification layer, shape ``(N, D)``."""

    logits: Tensor
    """Class scores before softmax, shape ``(N, C)``."""

    head: Optional[nn.Module] = None
    """The classification head, which belongs to the classifier."""

    head_inputs: tuple = ()
    """What enters the head: nested tuples of tensors."""

    labels: Optional[Tensor] = None
    """Classes of the source, shape ``(N, )``, or where its images are mixed
    their scores, ``(N, C)``. Always None for the target."""

    def classify(self, function: Callable[[Tensor], Tensor]) -> Tensor:
        """Class scores with a function, such as gradient reversal, applied to
        what enters the head; shape ``(N, C)``."""
        return scores_of(self.head, map_tensors(function, self.head_inputs))
