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


def make_model(entry: Entry, cls_head: str | None = None, **preprocessing):
    return MODELS.build(
        dict(
            type='mmgh.UDAClassifier',
            backbone=dict(type='mmgh.DigitsLeNet', channels=(4, 4)),
            head=dict(
                type=cls_head or entry.cls_head,
                in_channels=64,
                num_classes=3),
            uda_head=entry.config,
            data_preprocessor=dict(
                mean=[127.5] * 3, std=[127.5] * 3, **preprocessing)))


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
@pytest.mark.parametrize('options', [
    dict(to_onehot=True),
    dict(batch_augments=dict(augments=dict(type='Mixup', alpha=.8))),
], ids=['one-hot', 'mixed'])
def test_labels_may_become_scores(entry, options):
    model = make_model(entry, **options)
    before = copy.deepcopy(model.state_dict())
    log_vars = model.train_step(make_batch(), wrap(model, entry, 'features'))
    assert all(torch.as_tensor(value).isfinite().all()
               for value in log_vars.values())
    name = 'backbone.layers.0.weight'
    assert not torch.equal(model.state_dict()[name], before[name])


@every_head
def test_several_classes_an_image_train_or_are_refused_by_name(entry):
    model = dict(entry=entry, cls_head='MultiLabelLinearClsHead')
    if entry.cls_head != 'LinearClsHead':  # it needs one of its own
        return
    if make_model(entry).uda_head.single_label:
        with pytest.raises(TypeError, match='one class an image with '
                           f'`uda_head.type={entry.name}`.*MultiLabelLinear'):
            make_model(**model)
        return
    model = make_model(**model)
    batch = make_batch()
    for i, sample in enumerate(batch['source']['data_samples']):
        sample.set_gt_label([0, 2] if i else [1])
    log_vars = model.train_step(batch, wrap(model, entry, 'features'))
    assert torch.as_tensor(log_vars['loss']).isfinite()


@pytest.mark.parametrize('labels, message', [
    ([0, 2], r'one class each with `head.type=\w*ClsHead`, but some have 2'),
    ([3], r'from 0 to 2 with `model.head.num_classes=3`, but one is 3'),
    ([-1], r'from 0 to 2 .* but one is -1'),
])
def test_labels_that_the_head_cannot_have_are_refused(labels, message):
    entry, batch = HEADS[0], make_batch()
    batch['source']['data_samples'][4].set_gt_label(labels)
    model = make_model(entry)
    with pytest.raises(ValueError, match=message):
        model.train_step(batch, wrap(model, entry, 'stock'))


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
