"""Hooks that ask training data of one domain, on those of two."""
from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from mmpretrain.engine.hooks import ClassNumCheckHook, SwitchRecipeHook
from mmpretrain.registry import MODELS

from mmgh.datasets import (Digits, DigitsM, DomainConcatDataset,
                           DomainPairDataset)

PIPELINE = [dict(type='PackInputs')]


@pytest.fixture(scope='module')
def domains() -> dict:
    return dict(
        source=Digits('test', pipeline=PIPELINE),
        target=DigitsM('test', pipeline=PIPELINE))


def runner(domains, num_classes: int = 10) -> SimpleNamespace:
    pair = DomainPairDataset(**domains)
    loader = SimpleNamespace(dataset=pair)
    model = MODELS.build(
        dict(
            type='mmgh.UDAClassifier',
            backbone=dict(type='mmgh.DigitsLeNet', channels=(4, 4)),
            head=dict(
                type='LinearClsHead', in_channels=64,
                num_classes=num_classes),
            uda_head=dict(type='mmgh.MCCHead'),
            data_preprocessor=dict(mean=[0.] * 3, std=[1.] * 3)))
    return SimpleNamespace(
        model=model,
        train_dataloader=loader,
        train_loop=SimpleNamespace(dataloader=loader),
        val_dataloader=SimpleNamespace(
            dataset=DomainConcatDataset(**domains)))


def test_numbers_of_classes_are_compared(domains):
    hook = ClassNumCheckHook()
    for check in (hook.before_train, hook.before_val):
        check(runner(domains))
        with pytest.raises(AssertionError, match='does not matche?s'):
            check(runner(domains, num_classes=9))


def test_pipelines_of_both_domains_are_switched(domains):
    one = runner(domains)
    before = [domain.pipeline for domain in domains.values()]
    new = object()
    SwitchRecipeHook._switch_train_pipeline(one, new)
    assert [domain.pipeline for domain in domains.values()] == [new, new]
    for domain, pipeline in zip(domains.values(), before):
        domain.pipeline = pipeline


def test_labels_are_those_of_the_source(domains):
    labels = DomainPairDataset(**domains).get_gt_labels()
    assert np.array_equal(labels, domains['source'].get_gt_labels())
