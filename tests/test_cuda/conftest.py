"""What the tests on a GPU share.

``MMGH_TEST_DEVICE=cuda`` runs them, else they are skipped; with ``cpu`` they
run on a CPU, to try out the tests themselves.
"""
from __future__ import annotations

import os

import pytest
import torch

from ..test_tools.conftest import load_tool, tools, train  # noqa: F401

DEVICE = os.environ.get('MMGH_TEST_DEVICE')


@pytest.fixture
def device() -> str:
    if DEVICE is None:
        pytest.skip('MMGH_TEST_DEVICE=cuda runs it on a GPU')
    return DEVICE


@pytest.fixture
def cuda(device) -> None:
    """For what a CPU has nothing like."""
    if device != 'cuda':
        pytest.skip('this test needs a GPU itself')


@pytest.fixture
def full_float32(device):
    """Products of float32 by float32 arithmetic, not by tensor cores."""
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    yield
    torch.backends.cudnn.allow_tf32 = before
