"""Every UDA head in a classifier: its tasks, and training steps."""
from __future__ import annotations

import copy

import pytest
import torch
from mmengine.optim import build_optim_wrapper
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample

from mmgh.datasets.domain_pair_dataset import DomainPair
from mmgh.task_losses import get_task_losses
from .every_head import HEADS, Entry, counters

every_head = pytest.mark.parametrize('entry', HEADS, ids=repr)
HARMONIZED = dict(
    type='mmgh.GHOptimWrapper', harmonizer=dict(type='mmgh.GHPlusPlus'))
WRAPPERS = {
    'stock': dict(type='OptimWrapper'),
    'parameters': dict(HARMONIZED, probe='parameters'),
    'features': dict(HARMONIZED, probe='features'),
}


def make_model(entry: Entry):
    return MODELS.build(
        dict(
            type='mmgh.UDAClassifier',
            backbone=dict(type='mmgh.DigitsLeNet', channels=(4, 4)),
            head=dict(type=entry.cls_head, in_channels=64, num_classes=3),
            uda_head=entry.config,
            data_preprocessor=dict(mean=[127.5] * 3, std=[127.5] * 3)))


def make_batch(size: int = 6) -> DomainPair:
    inputs = torch.randint(0, 256, (2, size, 3, 28, 28), dtype=torch.uint8)
    samples = [DataSample().set_gt_label(i % 3) for i in range(size)]
    return DomainPair(
        source=dict(inputs=inputs[0], data_samples=samples),
        target=dict(inputs=inputs[1]))


def wrap(model, entry: Entry, name: str):
    config = dict(WRAPPERS[name], optimizer=dict(type='SGD', lr=0.01))
    wrapper = build_optim_wrapper(model, config)
    wrapper.initialize_count_status(model, 0, 10)
    return wrapper


@every_head
def test_losses_belong_to_the_tasks_in_their_order(entry):
    model = make_model(entry)
    data = model.data_preprocessor(make_batch(), True)
    losses = model(**data, mode='loss')
    total, log_vars = model.parse_losses(losses)
    tasks = get_task_losses(total)
    assert tuple(tasks) == entry.tasks
    for task, value in tasks.items():
        expected = sum(
            value for name, value in losses.items() if 'loss' in name
            and model.uda_head.tasks.get(name, 'cls') == task)
        torch.testing.assert_close(value, expected)
    torch.testing.assert_close(sum(tasks.values()), log_vars['loss'])


@every_head
@pytest.mark.parametrize('wrapper', WRAPPERS)
def test_training_goes_on_from_a_state_dict_exactly(entry, wrapper):
    model = make_model(entry)
    batches = [make_batch() for _ in range(4)]

    def train(model, first: int, last: int) -> dict:
        optim_wrapper = wrap(model, entry, wrapper)
        for i in range(first, last):
            torch.manual_seed(i)  # as ExactResumeHook does
            model.train_step(copy.deepcopy(batches[i]), optim_wrapper)
        return model.state_dict()

    start = copy.deepcopy(model.state_dict())
    middle = copy.deepcopy(train(model, 0, 2))
    resumed = make_model(entry)
    resumed.load_state_dict(middle)
    end = train(model, 2, 4)
    for name, value in train(resumed, 2, 4).items():
        assert value.isfinite().all() and torch.equal(value, end[name]), name
    for before, after in ((start, middle), (middle, end)):
        first = 'backbone.layers.0.weight'
        assert not torch.equal(before[first], after[first])
    assert all(count == 4 for count in counters(model.uda_head))
