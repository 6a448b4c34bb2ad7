from __future__ import annotations

from torch import Tensor


def prediction_entropy(logits: Tensor) -> Tensor:
    """Entropy of each softmax prediction, shape ``(N, )``, in nats, for
    scores of ``(N, C)``."""
    log_probabilities = logits.log_softmax(dim=1)
    return -(log_probabilities.exp() * log_probabilities).sum(dim=1)
