"""What the tests share: the scope of the configs, and small fixtures."""
from __future__ import annotations

import mmgh  # noqa: F401, isort: skip
import pytest
import torch
from mmengine.logging import MessageHub
from mmengine.registry import DefaultScope


@pytest.fixture(autouse=True)
def default_scope():
    """Types without a prefix are mmpretrain's, as in the configs."""
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        yield


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


@pytest.fixture
def message_hub():
    """The hub that an optim wrapper built in this test writes to; empty."""
    hub = MessageHub.get_current_instance()
    hub.log_scalars.clear()
    return hub
