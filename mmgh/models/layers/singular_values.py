from __future__ import annotations

import torch
from torch import Tensor


def singular_values(matrix: Tensor) -> Tensor:
    """Return the singular values, the largest first.

    Their gradient is finite where several are equal, since no gradient of the
    singular vectors is needed. There is no SVD in half precision, and none of
    what overflowed: that gives NaN and gradients of NaN, as elsewhere.

    Args:
        matrix (Tensor): Shape ``(N, D)``, any floating-point type.

    Returns:
        Tensor: Shape ``(min(N, D), )``, at least float32.
    """
    if matrix.dtype in (torch.float16, torch.bfloat16):
        matrix = matrix.float()
    is_finite = matrix.isfinite().all()
    values = torch.linalg.svdvals(torch.where(is_finite, matrix, 0.))
    invalid = torch.where(is_finite, 0., torch.nan)
    return values + (invalid * matrix).sum()
