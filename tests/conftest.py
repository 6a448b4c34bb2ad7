"""What the tests share: the scope of the configs, and small fixtures."""
from __future__ import annotations

import functools
import gc
import os

# Before torch, here and in processes that tests start: sums of several threads
# are formed in another order, and take longer where another program runs.
os.environ.setdefault('OMP_NUM_THREADS', '1')
# The tests compare what comes out on a CPU to the last bit. Those in test_cuda
# are for a GPU, and run where one is asked for.
if os.environ.get('MMGH_TEST_DEVICE') != 'cuda':
    os.environ['CUDA_VISIBLE_DEVICES'] = ''

from . import mmcv_operators  # noqa: F401

# isort: split
import mmgh  # noqa: F401

# isort: split
import pytest
import torch
from mmengine.config import config
from mmengine.logging import MessageHub
from mmengine.registry import DefaultScope
from mmengine.runner import runner

from mmgh.divergence import pop_diverged_tasks


def remember(function):
    """The function, which answers each question once."""
    answers = {}

    @functools.wraps(function)
    def answer(*args, **kwargs):
        question = repr((args, kwargs))
        if question not in answers:
            answers[question] = function(*args, **kwargs)
        return answers[question]

    return answer


@pytest.fixture(scope='module', autouse=True)
def less_to_search_for_garbage():
    """MMEngine collects it for each data set; what has lasted until here,
    such as all of torch, is none."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope='session', autouse=True)
def quick_start_of_trainings():
    """MMEngine lays out the text of a config six times per training, and
    asks the compilers for their versions. Its forks may do so elsewhere."""
    with pytest.MonkeyPatch.context() as patch:
        for module, name in ((config, 'FormatCode'), (runner, 'collect_env')):
            if hasattr(module, name):
                patch.setattr(module, name, remember(getattr(module, name)))
        yield


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
    pop_diverged_tasks(hub)
    return hub
