"""Data whose classes are not those of the model."""
from __future__ import annotations

from types import SimpleNamespace

import pytest
from torch import nn

from mmgh.hooks import ClassCheckHook

NAMES = ('cat', 'dog', 'fox')


def loader(names):
    metainfo = {} if names is None else dict(classes=names)
    return SimpleNamespace(dataset=SimpleNamespace(metainfo=metainfo))


def runner(train=NAMES, val=NAMES, test=NAMES, head=3, uda_head=3):
    model = nn.Module()
    for name, number in dict(head=head, uda_head=uda_head).items():
        part = nn.Identity()
        if number is not None:
            part.num_classes = number
        setattr(model, name, part)
    return SimpleNamespace(
        model=model,
        train_dataloader=loader(train),
        val_loop=val and object(),
        val_dataloader=loader(val),
        test_dataloader=loader(test))


@pytest.mark.parametrize('options', [
    dict(),
    dict(val=None),
    dict(train=None, head=7, uda_head=7),
    dict(head=None, uda_head=None),
    dict(train=('cat', '', 'fox')),
    dict(val=('cat', 'dog', '')),
])
def test_what_agrees_is_accepted(options):
    ClassCheckHook().before_train(runner(**options))


@pytest.mark.parametrize('options, message', [
    (dict(head=4), r'`model.head.num_classes` should be 3,.*got 4'),
    (dict(head=None, uda_head=2), r'`model.uda_head.num_classes`.*got 2'),
    (dict(val=('cat', 'cow', 'dog')), r"has \['fox'\].*has \['cow'\]"),
    (dict(val=('cat', 'fox', 'dog')), "class 1 is 'dog' in the training"),
    (dict(val=('cat', 'dog')), "validation data should.*'fox'.*3 and 2"),
])
def test_before_training_the_differences_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        ClassCheckHook().before_train(runner(**options))


def test_before_a_test_the_checkpoint_tells_the_classes():
    hook = ClassCheckHook()
    hook.before_test(runner(test=('cow', 'cat')))  # of another training
    hook.after_load_checkpoint(None, dict(state_dict={}))
    hook.before_test(runner(test=('cow', 'cat')))
    hook.after_load_checkpoint(
        None, dict(meta=dict(dataset_meta=dict(classes=NAMES))))
    hook.before_test(runner())
    with pytest.raises(ValueError, match=r"test data alone has \['cow'\]"):
        hook.before_test(runner(test=('cat', 'cow', 'fox')))


def test_a_model_without_heads_is_not_asked():
    bare = runner()
    bare.model = nn.Linear(2, 2)
    ClassCheckHook().before_train(bare)


def test_training_data_outrank_the_checkpoint_that_it_begins_with():
    hook = ClassCheckHook()
    hook.after_load_checkpoint(
        None, dict(meta=dict(dataset_meta=dict(classes=('a', 'b')))))
    hook.before_train(runner())
    hook.before_test(runner())
