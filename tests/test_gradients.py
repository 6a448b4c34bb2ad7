"""The gradients of the tasks: compared in buckets, and summed."""
from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mmgh.gradients import (add_to_grad_fields, gramian, gramian_of,
                            scale_gradient)

# More and less than what is copied together, more than a bucket, and a scalar.
SIZES = [(3, ), (), (200, 300), (40, 50), (7, ), (300, 400)]
BOUNDS = {
    'own': None,
    'some copied': (2**16, 2**25),
    'small buckets': (2**16, 2**12),
    'none copied': (0, 2**12)
}


@pytest.fixture(params=BOUNDS.values(), ids=BOUNDS)
def bucket_bytes(request, monkeypatch):
    if request.param is not None:
        monkeypatch.setitem(gramian.COPIED_BYTES, False, request.param)


def tensors_of(dtype: torch.dtype) -> list[Tensor]:
    return [torch.zeros(size, dtype=dtype) for size in SIZES]


def gradient_on(tensors: list[Tensor], unreached: int = -1) -> dict:
    return {
        tensor: torch.randn(tensor.shape).to(tensor)
        for i, tensor in enumerate(tensors) if i != unreached
    }


def in_float64(gradient: dict, tensors: list[Tensor]) -> Tensor:
    return torch.cat([
        gradient.get(tensor, torch.zeros_like(tensor)).double().flatten()
        for tensor in tensors
    ])


@pytest.mark.parametrize('dtype', [torch.float64, torch.float32, torch.half])
@pytest.mark.parametrize('num_tasks', [2, 3, 5])
@pytest.mark.parametrize('scale', [None, 2.**40])
def test_gramian_is_that_of_whole_vectors(bucket_bytes, dtype, num_tasks,
                                          scale):
    tensors = tensors_of(dtype)
    gradients = [gradient_on(tensors, i) for i in range(num_tasks)]
    rows = torch.stack([in_float64(g, tensors) for g in gradients])
    result = gramian_of(gradients, iter(tensors),
                        None if scale is None else torch.tensor(scale))
    assert result.dtype == (torch.float64 if dtype == torch.float64 else
                            torch.float32)
    expected = rows @ rows.T / (scale or 1)**2
    torch.testing.assert_close(
        result.double(), expected, rtol=1e-5, atol=1e-3 / (scale or 1)**2)
    assert torch.equal(result, result.T)


def test_gramian_may_mix_types():
    tensors = [*tensors_of(torch.float32), *tensors_of(torch.half)]
    gradients = [gradient_on(tensors), gradient_on(tensors)]
    rows = torch.stack([in_float64(g, tensors) for g in gradients])
    torch.testing.assert_close(
        gramian_of(gradients, tensors).double(), rows @ rows.T,
        rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize('dtype', [torch.float32, torch.half])
def test_weighted_gradients_add_up_in_the_grad_fields(dtype):
    tensors = [t.requires_grad_() for t in tensors_of(dtype)]
    first, second = gradient_on(tensors), gradient_on(tensors, unreached=2)
    weight = torch.tensor(0.3)
    tensors[4].grad = torch.ones_like(tensors[4])
    expected = {}
    for tensor in tensors:
        parts = [(first[tensor] * weight).to(dtype), second.get(tensor),
                 tensor.grad]
        expected[tensor] = sum(part for part in parts if part is not None)
    scale_gradient(first, weight, tensors)
    add_to_grad_fields([first, second])
    for tensor in tensors:
        torch.testing.assert_close(
            tensor.grad, expected[tensor], rtol=2e-3, atol=1e-3)


def test_nothing_to_scale_or_to_add_is_no_error():
    scale_gradient({}, torch.tensor(0.3), tensors_of(torch.float32))
    scale_gradient({}, torch.tensor(0.3))


def test_a_whole_gradient_is_scaled_without_a_set():
    tensors = tensors_of(torch.float32)
    gradient = gradient_on(tensors, unreached=1)
    expected = {tensor: 0.3 * value for tensor, value in gradient.items()}
    scale_gradient(gradient, torch.tensor(0.3))
    torch.testing.assert_close(gradient, expected)
    add_to_grad_fields([{}, {}])
