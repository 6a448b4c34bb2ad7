"""Metrics that the data or the model cannot serve."""
from __future__ import annotations

from types import SimpleNamespace

import pytest
from mmengine.evaluator import Evaluator
from mmpretrain.datasets import CustomDataset
from torch import nn

from mmgh.datasets import Digits, DigitsM, DomainConcatDataset
from mmgh.hooks import EvaluatorCheckHook
from ..test_datasets.layouts import write_image

DEV = dict(type='mmgh.UnsupervisedMetric', items=['snd', 'dev'])
SOURCE = dict(
    type='mmgh.DomainMetric', domain='source', metric=dict(type='Accuracy'))
ORACLE = dict(SOURCE, domain='target')
LABELLED = [
    ORACLE,
    dict(type='mmgh.MeanClassAccuracy'),
    dict(type='Accuracy'),
    dict(type='SingleLabelMetric'),
]
PACK = [dict(type='PackInputs')]


def target() -> DigitsM:
    return DigitsM(split='test', pipeline=PACK)


def both_domains() -> DomainConcatDataset:
    return DomainConcatDataset(
        source=Digits(split='test', pipeline=PACK), target=target())


def run(metrics, dataset, features: bool = True, kind: str = 'val') -> None:
    """The hook, before a training or a test."""
    model = nn.Identity()
    model.predict_features = features
    loader = SimpleNamespace(dataset=dataset)
    evaluator = Evaluator(metrics)
    runner = SimpleNamespace(
        model=nn.DataParallel(model), val_loop=object())
    setattr(runner, f'{kind}_evaluator', evaluator)
    setattr(runner, f'{kind}_dataloader', loader)
    before = dict(val='before_train', test='before_test')[kind]
    getattr(EvaluatorCheckHook(), before)(runner)


@pytest.mark.parametrize('metrics, dataset, features', [
    ([DEV, SOURCE, *LABELLED], both_domains, True),
    ([SOURCE, ORACLE], both_domains, False),
    (LABELLED, target, False),
    (dict(type='mmgh.UnsupervisedMetric'), target, False),
])
@pytest.mark.parametrize('kind', ['val', 'test'])
def test_what_can_be_served_is_accepted(metrics, dataset, features, kind):
    run(metrics, dataset(), features, kind)


@pytest.mark.parametrize('metrics, dataset, features, message', [
    (DEV, target, True, "'dev'].*images of the source.*DomainConcatDataset"),
    ([ORACLE, SOURCE], target, True, "domain='source'.*DomainConcatDataset"),
    ([SOURCE, DEV], both_domains, False, '`model.predict_features` to True'),
])
@pytest.mark.parametrize('kind', ['val', 'test'])
def test_lack_of_source_or_features_is_refused(metrics, dataset, features,
                                               message, kind):
    with pytest.raises(ValueError, match=message):
        run(metrics, dataset(), features, kind)


@pytest.mark.parametrize('metric', LABELLED, ids=lambda m: m['type'])
@pytest.mark.parametrize('kind', ['val', 'test'])
def test_lack_of_target_labels_is_refused(metric, kind, tmp_path):
    write_image(tmp_path / '0.png', 0)
    unlabelled = CustomDataset(
        data_root=str(tmp_path), with_label=False, pipeline=PACK)
    run(dict(type='mmgh.UnsupervisedMetric'), unlabelled, kind=kind)
    with pytest.raises(ValueError, match='needs.* label|'
                       f'`{kind}_evaluator` should need no target labels'):
        run(metric, unlabelled, kind=kind)


def test_a_training_without_validation_is_not_checked():
    EvaluatorCheckHook().before_train(SimpleNamespace(val_loop=None))
