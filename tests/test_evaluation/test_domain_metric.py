"""DomainMetric, as MMEngine's evaluator uses it."""
from __future__ import annotations

import re

import pytest
import torch
from mmengine.evaluator import BaseMetric, Evaluator

from mmgh.evaluation import DomainMetric
from .predictions import CLASSES, make_samples, stack

ACCURACY = dict(type='Accuracy')
MEAN_CLASS = dict(type='mmgh.MeanClassAccuracy')


def evaluate(samples, domain: str, metric, **kwargs) -> dict:
    evaluator = Evaluator(
        dict(type='mmgh.DomainMetric', domain=domain, metric=metric, **kwargs))
    for first in range(0, len(samples), 4):
        evaluator.process(samples[first:first + 4])
    return evaluator.evaluate(len(samples))


def accuracy_of(samples) -> float:
    hits = stack(samples, 'pred_label') == stack(samples, 'gt_label')
    return 100 * hits.float().mean().item()


def mean_class_accuracy_of(samples) -> float:
    """Of all classes; each has an image."""
    return sum(
        accuracy_of([s for s in samples if s.gt_label == c])
        for c in range(CLASSES)) / CLASSES


def test_only_images_of_the_domain_count():
    samples = make_samples()
    source, target = accuracy_of(samples[:9]), accuracy_of(samples[9:])
    assert source != target
    mixed = samples[::2] + samples[1::2]
    assert evaluate(mixed, 'source', ACCURACY) == {
        'source/accuracy/top1': pytest.approx(source)
    }
    assert evaluate(mixed, 'target', ACCURACY) == {
        'oracle/accuracy/top1': pytest.approx(target)
    }


def test_several_metrics_under_another_prefix():
    samples = make_samples()
    values = evaluate(samples, 'target', [ACCURACY, MEAN_CLASS], prefix='test')
    assert values == {
        'test/accuracy/top1': pytest.approx(accuracy_of(samples[9:])),
        'test/accuracy/mean_class': pytest.approx(
            mean_class_accuracy_of(samples[9:])),
    }


def test_classes_of_the_other_domain_do_not_count():
    samples = make_samples()
    for i, sample in enumerate(samples):
        sample.set_gt_label(i % 2 if i < 9 else 2 + i % 2)
        sample.set_pred_score(torch.eye(CLASSES)[2])
    assert evaluate(samples, 'target', MEAN_CLASS) == {
        'oracle/accuracy/mean_class': 50
    }


def test_unmarked_images_are_the_target():
    samples = make_samples(marked=False)
    assert evaluate(samples, 'target', ACCURACY) == {
        'oracle/accuracy/top1': pytest.approx(accuracy_of(samples))
    }
    with pytest.raises(ValueError, match="domain='source'.*there is none.*"
                       'DomainConcatDataset'):
        evaluate(samples, 'source', ACCURACY)


@pytest.mark.parametrize('domain, changed', [('source', 3), ('target', 12)])
def test_images_without_labels_are_refused(domain, changed):
    samples = make_samples()
    del samples[changed].gt_label
    with pytest.raises(ValueError, match=f'labels of all {domain} images'):
        evaluate(samples, domain, ACCURACY)


def test_labels_of_the_other_domain_are_not_needed():
    samples = make_samples()
    for sample in samples[9:]:
        del sample.gt_label
    assert evaluate(samples, 'source', ACCURACY)


def test_evaluating_again_starts_anew():
    samples = make_samples()
    evaluator = Evaluator(
        dict(type='mmgh.DomainMetric', domain='target', metric=ACCURACY))
    evaluator.process(make_samples(sources=0, targets=5))
    evaluator.evaluate(5)
    evaluator.process(samples)
    value = evaluator.evaluate(len(samples))['oracle/accuracy/top1']
    assert value == pytest.approx(accuracy_of(samples[9:]))


class NumberOfClasses(BaseMetric):
    """It needs to know the data set."""

    default_prefix = 'data'

    def process(self, data_batch, data_samples) -> None:
        self.results += [len(self.dataset_meta['classes'])]

    def compute_metrics(self, results: list) -> dict:
        return dict(classes=max(results))


def test_metrics_know_the_data_set():
    evaluator = Evaluator(
        DomainMetric(domain='source', metric=NumberOfClasses()))
    evaluator.dataset_meta = dict(classes=['a', 'b'])
    evaluator.process(make_samples())
    assert evaluator.evaluate(23) == {'source/data/classes': 2}


def test_two_metrics_of_one_name_are_refused():
    with pytest.raises(ValueError, match="two are 'accuracy/top1'"):
        evaluate(make_samples(), 'source', [ACCURACY, ACCURACY])


def test_unknown_domain_is_refused():
    with pytest.raises(ValueError, match="`domain` should be.*'test'"):
        DomainMetric(domain='test', metric=ACCURACY)


@pytest.mark.parametrize('metric', [None, [], 'Accuracy', [ACCURACY, None]])
def test_lack_of_metrics_is_refused(metric):
    with pytest.raises(ValueError, match='`metric` should be one metric or a '
                       f'list of some, but got {re.escape(repr(metric))}'):
        DomainMetric(domain='target', metric=metric)
