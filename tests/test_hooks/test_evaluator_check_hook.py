"""Metrics that the data or the model cannot serve."""
from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from mmengine.evaluator import BaseMetric, Evaluator
from mmengine.hooks import CheckpointHook, EarlyStoppingHook
from mmengine.optim.scheduler import ReduceOnPlateauLR
from mmpretrain.datasets import CustomDataset
from torch import nn

from mmgh.datasets import Digits, DigitsM, DomainConcatDataset
from mmgh.hooks import AtomicCheckpointHook, EvaluatorCheckHook
from mmgh.input_error import InputError
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


NOTHING_WAITS = dict(hooks=(), param_schedulers=None)


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
        model=nn.DataParallel(model), val_loop=object(), **NOTHING_WAITS)
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
    EvaluatorCheckHook().before_train(
        SimpleNamespace(val_loop=None, **NOTHING_WAITS))


def train(metrics, hooks=(), schedulers=None, val_loop=True):
    """Before a training of a model of ten classes; its warnings."""
    model, warnings = nn.Identity(), []
    model.head = SimpleNamespace(num_classes=10)
    EvaluatorCheckHook().before_train(
        SimpleNamespace(
            model=model,
            val_loop=val_loop or None,
            val_evaluator=Evaluator(metrics),
            val_dataloader=SimpleNamespace(dataset=both_domains()),
            hooks=hooks,
            param_schedulers=schedulers,
            logger=SimpleNamespace(warning=warnings.append)))
    return warnings


def waiting(name: str) -> list[dict]:
    """Settings that wait for a metric of this name."""
    parameters = [nn.Parameter(torch.zeros(1))]
    return [
        dict(hooks=[CheckpointHook(save_best=name, rule='greater')]),
        dict(hooks=[CheckpointHook(save_best=['auto'])
                    ] if name == 'auto' else
             [CheckpointHook(save_best=['accuracy/top1', name],
                             rule='greater')]),
        dict(hooks=[EarlyStoppingHook(name, rule='greater')]),
        dict(schedulers=dict(a=[
            ReduceOnPlateauLR(
                torch.optim.SGD(parameters, lr=1), monitor=name,
                rule='greater')])),
    ]


@pytest.mark.parametrize('number', range(4))
@pytest.mark.parametrize('name', ['accuracy/top5', 'source/accuracy/top1',
                                  'oracle/accuracy/top1', 'unsupervised/dev'])
def test_metrics_that_are_waited_for_are_there(number, name):
    metrics = [dict(type='Accuracy', topk=(1, 5)), SOURCE, ORACLE]
    if name != 'unsupervised/dev':
        train(metrics, **waiting(name)[number])
    else:
        with pytest.raises(ValueError, match='`val_evaluator`, one of .*'
                           f"'accuracy/top5'.*, but got '{name}'"):
            train(metrics, **waiting(name)[number])


ENTROPY = dict(type='mmgh.UnsupervisedMetric', items=['entropy', 'snd'])


def comparing(name: str, rule: str) -> list[dict]:
    """Settings that compare this metric by this rule."""
    adam = torch.optim.Adam([nn.Parameter(torch.zeros(1))])
    others = ([], []) if name == 'auto' else (['a/loss'], ['less'])
    return [
        dict(hooks=[AtomicCheckpointHook(save_best=name, rule=rule)]),
        dict(hooks=[CheckpointHook(save_best=[*others[0], name],
                                   rule=[*others[1], rule])]),
        dict(hooks=[EarlyStoppingHook(name, rule=rule)]),
        dict(schedulers=[ReduceOnPlateauLR(adam, monitor=name, rule=rule)]),
    ]


class Loss(BaseMetric):
    """Of which nothing is known but its name."""

    default_prefix = 'a'

    def process(self, data_batch, data_samples):
        self.results.append(1.)

    def compute_metrics(self, results):
        return dict(loss=1.)


@pytest.mark.parametrize('number', range(4))
@pytest.mark.parametrize('name, right', [
    ('unsupervised/entropy', 'less'), ('unsupervised/snd', 'greater'),
    ('mine/entropy', 'less'), ('accuracy/top1', 'greater'),
    ('oracle/accuracy/top5', 'greater'), ('accuracy/mean_class', 'greater'),
])
def test_the_worst_value_is_not_waited_for(number, name, right):
    metrics = [ENTROPY, dict(ENTROPY, prefix='mine'), *LABELLED[1:3],
               dict(ORACLE, metric=dict(type='Accuracy', topk=5)), Loss()]
    wrong = dict(less='greater', greater='less')[right]
    train(metrics, **comparing(name, right)[number])
    with pytest.raises(InputError, match=f"`rule` of .* should be '{right}' "
                       f"with `.*='{name}'`, .* got '{wrong}'"):
        train(metrics, **comparing(name, wrong)[number])


def test_the_first_metric_is_compared_the_right_way_round():
    train(ENTROPY, **comparing('auto', 'less')[0])
    train([Loss(), ENTROPY], **comparing('auto', 'greater')[0])
    with pytest.raises(InputError, match="should be 'less' with `save_best="
                       "'unsupervised/entropy'`"):
        train(ENTROPY, **comparing('auto', 'greater')[0])


def test_a_first_metric_of_unknown_rule_is_refused():
    waiting = dict(hooks=[AtomicCheckpointHook(save_best='auto')])
    train([ENTROPY, Odd()], **waiting)
    train([Loss(), ENTROPY], **waiting)
    with pytest.raises(InputError, match="`rule` of CheckpointHook .* first "
                       "metric, 'single-label/f1-score'"):
        train(dict(type='SingleLabelMetric', items=['f1-score']), **waiting)


def test_any_metric_may_be_waited_for():
    train(dict(type='Accuracy'), **waiting('auto')[0])


def test_waiting_without_validation_is_told():
    warnings = train(
        dict(type='Accuracy'), val_loop=False, **waiting('a/b')[0])
    assert len(warnings) == 1 and "'a/b' in vain" in warnings[0]


@pytest.mark.parametrize('metrics, message', [
    (dict(type='Accuracy', topk=(1, 50)), 'Accuracy .* 10 classes.*Top-50'),
    (dict(SOURCE, metric=dict(type='Accuracy', topk=50)), 'Top-50'),
    ([dict(type='Accuracy'), dict(type='Accuracy', topk=(5, 1))],
     "different names, but two are 'accuracy/top1'"),
    ([SOURCE, SOURCE], "two are 'source/accuracy/top1'"),
    (dict(SOURCE, metric=[dict(type='Accuracy')] * 2), 'Set their `prefix`'),
])
def test_metrics_that_would_fail_are_refused(metrics, message):
    with pytest.raises(ValueError, match=message):
        train(metrics)


@pytest.mark.parametrize('topk', [0, -1, (1, 0), (-1, 5)])
@pytest.mark.parametrize('wrap', [
    lambda metric: metric, lambda metric: dict(SOURCE, metric=metric)
], ids=['alone', 'of a domain'])
@pytest.mark.parametrize('check', [
    train, lambda metric: run(metric, both_domains()),
    lambda metric: run(metric, both_domains(), kind='test')
], ids=['train', 'val', 'test'])
def test_topk_counts_classes(check, wrap, topk):
    with pytest.raises(ValueError, match='`topk` should be .* at least 1'):
        check(wrap(dict(type='Accuracy', topk=topk)))


class Odd(BaseMetric):
    """It needs what no classifier predicts."""

    def process(self, data_batch, data_samples):
        self.results += [sample['depth'] for sample in data_samples]

    def compute_metrics(self, results):
        return dict(depth=0)


def test_what_is_not_certain_passes():
    train([Odd(), dict(type='Accuracy')], **waiting('depth')[0])
    train(dict(SOURCE, metric=Odd()), **waiting('source/depth')[0])
