"""A registered model whose losses a config marks is the model all the same."""
from __future__ import annotations

import copy
import pickle
from functools import partial

import pytest
import torch
from mmengine.model import BaseModel, ExponentialMovingAverage
from mmengine.optim import OptimWrapper
from mmengine.registry import MODELS
from mmengine.runner import load_checkpoint, save_checkpoint
from mmpretrain.models import DenseCL, ImageClassifier
from torch import nn
from torch.optim import SGD

from mmgh.input_error import InputError
from mmgh.task_losses import (TaskLossMixin, TaskMarked, get_shared_features,
                              get_task_losses)
from .log_warnings import warnings_of
from .marked_models import (DENSE_CL, MULTI_TASK, OF_DENSE_CL, OF_MULTI_TASK,
                            dense_cl_batch, marked, multi_task_batch, plain)

MODELS_WITH_LOSSES = {
    'MultiTaskHead': (MULTI_TASK, OF_MULTI_TASK, multi_task_batch),
    'DenseCL': (DENSE_CL, OF_DENSE_CL, dense_cl_batch),
}
of_mmpretrain = pytest.mark.parametrize(
    'model, tasks, batch', MODELS_WITH_LOSSES.values(),
    ids=list(MODELS_WITH_LOSSES))


def states_equal(first: nn.Module, second: nn.Module) -> bool:
    first, second = first.state_dict(), second.state_dict()
    return list(first) == list(second) and all(
        torch.equal(first[name], second[name]) for name in first)


def task_losses_of(model: nn.Module, batch: dict) -> dict:
    losses = model._run_forward(batch, mode='loss')
    return get_task_losses(model.parse_losses(losses)[0])


@of_mmpretrain
def test_checkpoints_are_those_of_the_model(model, tasks, batch, tmp_path):
    ours, theirs = marked(model, tasks), plain(model)
    assert states_equal(ours, theirs)
    other = plain(model, seed=1)
    for trained, fresh in ((other, ours), (marked(model, tasks, 2), theirs)):
        assert not states_equal(fresh, trained)
        fresh.load_state_dict(trained.state_dict(), strict=True)
        assert states_equal(fresh, trained)
    path = str(tmp_path / 'checkpoint.pth')
    for trained, fresh in ((marked(model, tasks, 3), theirs), (other, ours)):
        save_checkpoint(dict(state_dict=trained.state_dict()), path)
        load_checkpoint(fresh, path, strict=True)
        assert states_equal(fresh, trained)


@of_mmpretrain
@pytest.mark.parametrize('features',
                         [None, 'backbone', 'neck', 'backbone.bn1'])
def test_stock_training_is_that_of_the_model(model, tasks, batch, features):
    states = []
    for net in (marked(model, tasks, features=features), plain(model)):
        wrapper = OptimWrapper(SGD(net.parameters(), lr=0.1))
        torch.manual_seed(5)
        logs = [net.train_step(batch(), wrapper) for _ in range(2)]
        states.append((net, [{k: v.item() for k, v in log.items()}
                             for log in logs]))
    (ours, our_log), (theirs, their_log) = states
    assert states_equal(ours, theirs)
    assert our_log == their_log


def test_it_is_the_model_to_whoever_asks():
    ours, theirs = marked(MULTI_TASK, OF_MULTI_TASK), plain(MULTI_TASK)
    assert isinstance(ours, (ImageClassifier, TaskLossMixin))
    assert isinstance(ours, TaskMarked)
    assert ours.with_neck and type(ours.backbone) is type(theirs.backbone)
    assert ours.init_cfg == theirs.init_cfg
    assert [n for n, _ in ours.named_modules()] == [
        n for n, _ in theirs.named_modules()]
    assert repr(ours).partition('(')[2] == repr(theirs).partition('(')[2]


@pytest.mark.parametrize('mode', ['tensor', 'predict'])
def test_other_modes_are_the_model_s(mode):
    batch = multi_task_batch()
    results = []
    for net in (marked(MULTI_TASK, OF_MULTI_TASK, features='neck'),
                plain(MULTI_TASK)):
        with torch.no_grad():
            result = net.eval()(**batch, mode=mode)
        if mode == 'predict':
            result = [{name: sample.get(name).pred_score
                       for name in ('digit', 'parity')} for sample in result]
        results.append(result)
    torch.testing.assert_close(*results, rtol=0, atol=0)


def test_steps_of_validation_and_test_are_the_model_s():
    net = marked(MULTI_TASK, OF_MULTI_TASK, features='neck').eval()
    for step in (net.val_step, net.test_step):
        with torch.no_grad():
            predictions = step(multi_task_batch(3))
        assert [p.get('digit').pred_score.shape for p in predictions] == (
            [(10, )] * 3)


def test_initialisation_is_the_model_s():
    model = dict(
        MULTI_TASK,
        init_cfg=dict(type='Constant', layer='Conv2d', val=0.25))
    ours, theirs = marked(model, OF_MULTI_TASK), plain(model)
    before = copy.deepcopy(theirs)
    for net in (ours, theirs):
        torch.manual_seed(2)
        net.init_weights()
    assert states_equal(ours, theirs) and not states_equal(before, theirs)


def test_preprocessor_beside_the_model_reaches_it():
    """As MMEngine's runner hands it on; one within the model counts."""
    beside = dict(type='ClsDataPreprocessor', mean=[7.] * 3, std=[1.] * 3)
    within = dict(type='ClsDataPreprocessor', mean=[9.] * 3, std=[1.] * 3)
    config = dict(MULTI_TASK)
    for expected, model in ((7, config), (9, dict(
            config, data_preprocessor=within))):
        net = marked(model, OF_MULTI_TASK, data_preprocessor=beside)
        assert net.data_preprocessor.mean.flatten().tolist() == [expected] * 3
    assert 'data_preprocessor' not in config


@of_mmpretrain
def test_losses_are_summed_by_task(model, tasks, batch):
    net, same = marked(model, tasks), plain(model)
    torch.manual_seed(5)
    by_task = task_losses_of(net, batch())
    torch.manual_seed(5)
    losses = same._run_forward(batch(), mode='loss')
    by_name = {name: value for name, value in losses.items() if 'loss' in name}
    assert list(by_task) == list(tasks.values())
    torch.testing.assert_close(
        list(by_task.values()), list(by_name.values()), rtol=0, atol=0)


class TwoViews(BaseModel):
    """Runs a trunk on two views; what that returns may be nested."""

    def __init__(self, pack=lambda tensor: tensor,
                 unpack=lambda output: output) -> None:
        super().__init__()
        self.trunk = Trunk(pack)
        self.layer = self.trunk.layer  # one module by two names
        self.unpack = unpack

    def forward(self, inputs, mode='tensor'):
        outputs = [self.unpack(self.trunk(view)) for view in inputs]
        return dict(
            loss_near=sum(output.square().sum() for output in outputs),
            loss_far=outputs[0].sum(),
            size=torch.tensor(5.))


class Trunk(nn.Module):

    def __init__(self, pack) -> None:
        super().__init__()
        self.layer, self.pack = nn.Linear(3, 2), pack

    def forward(self, inputs):
        return self.pack(self.layer(inputs))


NEAR_FAR = dict(loss_near='near', loss_far='far')
VIEWS = [torch.randn(4, 3, generator=torch.Generator().manual_seed(i))
         for i in range(2)]


@pytest.mark.parametrize('pack, unpack', [
    (lambda tensor: tensor, lambda output: output),
    (lambda tensor: ([tensor], None), lambda output: output[0][0]),
    (lambda tensor: dict(a=tensor), lambda output: output['a']),
], ids=['tensor', 'tuple', 'dict'])
def test_all_outputs_of_the_shared_module_are_features(pack, unpack):
    net = TaskMarked(TwoViews(pack, unpack), NEAR_FAR, features='trunk')
    total, _ = net.parse_losses(net(VIEWS, mode='loss'))
    shared = get_shared_features(total)
    expected = [net.layer(view) for view in VIEWS]
    torch.testing.assert_close(shared.tensors, expected)
    grads = torch.autograd.grad(
        shared.task_losses['near'], shared.tensors, retain_graph=True)
    torch.testing.assert_close(list(grads), [2 * out for out in expected])


@pytest.mark.parametrize('name', ['layer', 'trunk.layer'])
def test_module_may_be_within_another_and_have_two_names(name):
    net = TaskMarked(TwoViews(), NEAR_FAR, features=name)
    total, _ = net.parse_losses(net(VIEWS, mode='loss'))
    assert len(get_shared_features(total).tensors) == 2


def test_nothing_stays_of_an_iteration():
    net = TaskMarked(TwoViews(), NEAR_FAR, features='trunk')
    net(VIEWS, mode='loss')
    assert not net.trunk._forward_hooks
    with pytest.raises(TypeError):
        net('no views', mode='loss')
    assert not net.trunk._forward_hooks


@pytest.mark.parametrize('copied', [
    copy.deepcopy,
    lambda net: pickle.loads(pickle.dumps(net)),
    lambda net: ExponentialMovingAverage(net).module,
], ids=['deepcopy', 'pickle', 'EMA'])
def test_copies_are_whole_and_on_their_own(copied):
    net = marked(DENSE_CL, OF_DENSE_CL, features='neck')
    net(**dense_cl_batch(), mode='loss')  # features wait for `parse_losses`
    other = copied(net)
    assert type(other) is type(net) and isinstance(other, DenseCL)
    assert states_equal(net, other)
    before = copy.deepcopy(net.state_dict())
    other.requires_grad_()
    wrapper = OptimWrapper(SGD(other.parameters(), lr=0.1))
    other.train_step(dense_cl_batch(), wrapper)
    assert not states_equal(net, other)
    assert all(torch.equal(value, before[name])
               for name, value in net.state_dict().items())


def test_compiled_forward_gives_the_same():
    net = TaskMarked(TwoViews(), NEAR_FAR, features='trunk')
    expected = net(VIEWS, mode='loss')
    compiled = torch.compile(net.forward, backend='eager')
    torch.testing.assert_close(compiled(VIEWS, mode='loss'), expected)
    total, _ = net.parse_losses(compiled(VIEWS, mode='loss'))
    assert len(get_shared_features(total).tensors) == 2


def test_model_that_is_built_may_be_given():
    model = plain(MULTI_TASK)
    assert TaskMarked(model, OF_MULTI_TASK) is model


build = partial(marked, MULTI_TASK)


@pytest.mark.parametrize('tasks, sentence', [
    ({'digit_*': 'digit'},
     r"`parity_loss` matches none of them; they are \['digit_\*'\]"),
    ({**OF_MULTI_TASK, '*_loss': 'all'},
     r"`digit_loss` matches \['digit_\*', '\*_loss'\]; they are"),
    ({'Digit_*': 'digit', 'parity_*': 'parity'}, '`digit_loss` matches none'),
])
def test_each_loss_should_match_one_pattern(tasks, sentence):
    with pytest.raises(InputError, match=sentence):
        task_losses_of(build(tasks), multi_task_batch())


def test_pattern_without_a_loss_is_told_once():
    net = build({**OF_MULTI_TASK, 'colour_*': 'colour'})
    told = warnings_of(lambda: task_losses_of(net, multi_task_batch()))
    assert len(told) == 1 and "['colour_*'], which no loss" in told[0]
    assert 'digit_loss' in told[0]
    assert not warnings_of(lambda: task_losses_of(net, multi_task_batch()))
    assert not warnings_of(
        lambda: task_losses_of(build(OF_MULTI_TASK), multi_task_batch()))


@pytest.mark.parametrize('options, sentence', [
    (dict(tasks={}), '`tasks` should be a dict of tasks by pattern'),
    (dict(tasks=['a']), '`tasks` should be a dict of tasks by pattern'),
    (dict(tasks={'a': ''}), '`tasks` should be a dict of tasks by pattern'),
    (dict(tasks={'a': 1}), '`tasks` should be a dict of tasks by pattern'),
    (dict(pairs=[('digit', 'colour')]),
     r"pair the tasks \['digit', 'parity'\], but got \['colour'\]"),
    (dict(pairs=['digit']), '`pairs` should be a list of'),
    (dict(features='bakbone'), "no 'bakbone'. Near are .*'backbone'"),
    (dict(features='qqq'), "no 'qqq'. Near are .*'backbone', 'neck', 'head'"),
    (dict(features='head.task_heads.digit.f'), "head.task_heads.digit.fc'"),
    (dict(features=3), '`features` should be a name'),
])
def test_what_does_not_fit_is_told_when_it_is_built(options, sentence):
    with pytest.raises(InputError, match=sentence):
        marked(MULTI_TASK, **{'tasks': OF_MULTI_TASK, **options})


def test_refused_model_is_left_as_it_is():
    model = plain(MULTI_TASK)
    with pytest.raises(InputError):
        TaskMarked(model, OF_MULTI_TASK, features='qqq')
    assert type(model) is ImageClassifier


def test_model_that_marks_its_losses_is_refused():
    model = dict(
        type='mmgh.UDAClassifier',
        backbone=dict(type='mmgh.PassOn'),
        head=dict(type='LinearClsHead', in_channels=6, num_classes=3),
        uda_head=dict(type='mmgh.BNMHead'))
    with pytest.raises(InputError, match='UDAClassifier does: use it without'):
        marked(model, dict(loss_cls='cls'))
    net = build(OF_MULTI_TASK)
    with pytest.raises(InputError, match='TaskMarkedImageClassifier does'):
        TaskMarked(net, OF_MULTI_TASK)


@pytest.mark.parametrize('model', [5, None, nn.Linear(1, 1), 'ResNet'])
def test_what_is_no_model_is_refused(model):
    with pytest.raises(InputError, match='`model` should be a model of MM'):
        MODELS.build(dict(type='mmgh.TaskMarked', model=model,
                          tasks=OF_MULTI_TASK))


def test_module_that_is_passed_by_is_told():
    net = build(OF_MULTI_TASK, features='head')
    with pytest.raises(InputError, match="'head' is not called for them"):
        net(**multi_task_batch(), mode='loss')
