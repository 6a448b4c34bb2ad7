"""What the base class of the UDA heads does for a head of a user's own."""
from __future__ import annotations

import pytest
import torch
from mmengine.registry import MODELS
from torch import nn

from mmgh.models import DomainOutput, UDAHead
from mmgh.models.layers import GradientReversal


class TwoReversals(UDAHead):
    """Two reversals, one of them deeper, and maybe a head within the head."""

    tasks = {'loss_a': 'alignment', 'loss_inner': 'alignment'}

    def __init__(self, inner: UDAHead | None = None) -> None:
        super().__init__(4, 3)
        self.first = GradientReversal()
        self.layers = nn.Sequential(nn.Linear(4, 4), GradientReversal())
        self.again = self.first
        self.inner = inner

    def losses(self, source, target):
        losses = dict(loss_a=self.layers(self.first(source.features)).sum())
        if self.inner is not None:
            losses['loss_inner'] = self.inner.loss(source, target)['loss_a']
        return losses


def outputs() -> tuple[DomainOutput, DomainOutput]:
    return tuple(
        DomainOutput(torch.randn(size, 4), torch.randn(size, 3))
        for size in (5, 2))


def iterations(head: UDAHead) -> list[int]:
    return [
        int(module.iteration) for module in head.modules()
        if isinstance(module, GradientReversal)
    ]


def test_every_reversal_counts_each_training_iteration_once():
    head = TwoReversals(inner=TwoReversals())
    for count in range(1, 4):
        head.loss(*outputs())
        assert iterations(head) == [count] * 4


def test_no_reversal_counts_in_evaluation():
    head = TwoReversals(inner=TwoReversals()).eval()
    head.loss(*outputs())
    assert iterations(head) == [0] * 4


def test_a_loss_without_a_task_is_named():

    class Forgetful(TwoReversals):

        def losses(self, source, target):
            return dict(super().losses(source, target), loss_b=torch.ones(()))

    with pytest.raises(KeyError, match=r"Forgetful.tasks.*\['loss_b'\]"):
        Forgetful().loss(*outputs())


@pytest.mark.parametrize('returned, message', [
    (None, r"some of the losses \['loss_a', 'loss_inner'\].*returned None"),
    ({}, 'some of the losses'),
    (dict(accuracy=1.), 'some of the losses'),
    (dict(loss_a=torch.ones(()), mean=torch.ones((), requires_grad=True)),
     'name a loss `loss_...`.*`mean` has a gradient'),
])
def test_what_would_not_be_trained_is_refused(returned, message):

    class Silent(TwoReversals):

        def losses(self, source, target):
            return returned

    with pytest.raises(TypeError, match=message):
        Silent().loss(*outputs())


def test_what_is_no_loss_needs_no_task():

    class Talkative(TwoReversals):

        def losses(self, source, target):
            return dict(super().losses(source, target), accuracy=1.)

    assert Talkative().loss(*outputs())['accuracy'] == 1


def test_loss_cannot_be_overridden():
    with pytest.raises(TypeError, match='`Old.loss` should be named `losses`'):

        class Old(UDAHead):

            def loss(self, source, target):
                return {}


def classifier_with(**facts):
    """Build a classifier whose UDA head says other things of its tasks."""
    head_type = type('Head', (TwoReversals, ), facts)
    return MODELS.build(
        dict(
            type='mmgh.UDAClassifier',
            backbone=dict(type='mmgh.DigitsLeNet', channels=(4, 4)),
            head=dict(type='LinearClsHead', num_classes=3, in_channels=64),
            uda_head=head_type()))


@pytest.mark.parametrize('facts, error, message', [
    (dict(tasks=None), TypeError, '`Head.tasks` should name the task of each'),
    (dict(tasks={}), TypeError, '`Head.tasks` should name the task of each'),
    (dict(tasks=['loss_a']), TypeError, r"got \['loss_a'\]"),
    (dict(tasks=dict(mean='alignment')), TypeError, "got {'mean': 'align"),
    (dict(tasks=dict(loss_a='algnment')), ValueError,
     r"`Head.pairs`.*\['algnment', 'cls'\], but got \['alignment'\]"),
    (dict(pairs=[('alignment', )]), ValueError, '`pairs`.*2 items'),
    (dict(pairs=[('cls', 'cls')]), ValueError, '`pairs`.*two different'),
    (dict(pairs='alignment'), TypeError, "`pairs`.*got 'alignment'"),
])
def test_heads_that_do_not_tell_their_tasks_are_refused(
        facts, error, message):
    with pytest.raises(error, match=message):
        classifier_with(**facts)


def test_the_classifier_tells_the_pairs_of_its_head():
    model = classifier_with(
        tasks=dict(loss_a='a', loss_inner='b'), pairs=[('b', 'a')])
    assert model.pairs == [('b', 'a')]


def test_a_loss_that_a_classifier_adds_needs_a_task():
    """It would train as a part of the classification."""
    model = classifier_with()
    losses = dict(loss_cls=torch.ones(()), loss_entropy=torch.ones(()))
    with pytest.raises(KeyError, match='none for `loss_entropy`'):
        model.parse_losses(losses)
