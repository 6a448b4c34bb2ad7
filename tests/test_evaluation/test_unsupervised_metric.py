"""UnsupervisedMetric, as MMEngine's evaluator uses it."""
from __future__ import annotations

import pickle
import re
from math import isnan

import pytest
import torch
import torch.nn.functional as F
from mmengine.evaluator import Evaluator

from mmgh.evaluation import UnsupervisedMetric
from mmgh.evaluation.scores import dev_risk
from .every_score import OF_PREDICTIONS
from .predictions import make_samples, stack

SCORES = {entry.item: entry.function for entry in OF_PREDICTIONS}
ALL = [*SCORES, 'dev']


def evaluate(samples, batch_size: int = 4, **kwargs) -> dict:
    evaluator = Evaluator(dict(type='mmgh.UnsupervisedMetric', **kwargs))
    for first in range(0, len(samples), batch_size):
        evaluator.process(samples[first:first + batch_size])
    return evaluator.evaluate(len(samples))


def expected_of(samples, items) -> dict[str, float]:
    predictions = stack(samples, 'pred_score')
    return {
        f'unsupervised/{item}': pytest.approx(
            SCORES[item](predictions).item())
        for item in items
    }


def test_target_counts_where_domains_are_marked():
    samples = make_samples()
    assert evaluate(samples) == expected_of(samples[9:], SCORES)
    assert evaluate(samples[::-1]) == expected_of(samples[9:], SCORES)


def test_all_images_count_where_nothing_is_marked():
    samples = make_samples(marked=False)
    assert evaluate(samples) == expected_of(samples, SCORES)


def test_items_and_prefix():
    samples = make_samples(features=False)
    values = evaluate(samples, items=['snd'], prefix='target')
    assert list(values) == ['target/snd']


def test_dev_weights_the_cross_entropy_of_the_source():
    samples = make_samples()
    source, target = samples[:9], samples[9:]
    losses = F.nll_loss(
        stack(source, 'pred_score').log(),
        stack(source, 'gt_label')[:, 0],
        reduction='none')
    expected = dev_risk(
        stack(source, 'features'), stack(target, 'features'), losses)
    values = evaluate(samples, items=ALL)
    assert values.pop('unsupervised/dev') == pytest.approx(expected)
    assert values == expected_of(target, SCORES)


def test_labels_of_the_target_change_nothing():
    samples = make_samples()
    values = evaluate(samples, items=ALL)
    for sample in samples[9:]:
        del sample.gt_label
    assert evaluate(samples, items=ALL) == values


def test_loss_of_an_impossible_label_is_finite():
    samples = make_samples()
    samples[0].set_gt_label(1).set_pred_score(torch.tensor([1., 0., 0., 0.]))
    assert abs(evaluate(samples, items=['dev'])['unsupervised/dev']) < 1000


@pytest.mark.parametrize('field', ['pred_score', 'features'])
def test_a_model_that_diverged_has_no_number(field):
    samples = make_samples()
    for sample in samples:
        getattr(sample, field).fill_(torch.nan)
    values = evaluate(samples, items=ALL)
    assert isnan(values['unsupervised/dev'])
    assert isnan(values['unsupervised/snd']) == (field == 'pred_score')


@pytest.mark.parametrize('items', [['entropy', 'accuracy'], 'entropy', []])
def test_unknown_items_are_refused(items):
    with pytest.raises((TypeError, ValueError), match='`items` .*snd.*'
                       f'but got {re.escape(repr(items))}'):
        UnsupervisedMetric(items=items)


def test_predictions_without_features_are_refused():
    with pytest.raises(ValueError, match='with `features`, but.*none'
                       '.*`model.predict_features` to True'):
        evaluate(make_samples(features=False), items=['dev'])


def test_source_without_labels_is_refused():
    samples = make_samples()
    del samples[3].gt_label
    with pytest.raises(ValueError, match='needs labels of all source images'):
        evaluate(samples, items=['dev'])


@pytest.mark.parametrize('kwargs, message', [
    (dict(sources=0), 'images of the source.*DomainConcatDataset.*or leave'),
    (dict(marked=False), 'images of the source.*DomainConcatDataset'),
    (dict(targets=0), "images of the target.*'mmgh.DomainConcatDataset'.$"),
])
def test_a_single_domain_is_refused(kwargs, message):
    with pytest.raises(ValueError, match=message):
        evaluate(make_samples(**kwargs), items=['dev'])


def test_little_is_sent_to_other_processes():
    """Not the whole batch with each image, as with views of tensors."""
    metric = UnsupervisedMetric(items=ALL)
    scores, features = torch.rand(1000, 10), torch.rand(1000, 50)
    metric.process(None, [
        dict(pred_score=score, features=point, inputs=torch.rand(3, 64, 64))
        for score, point in zip(scores, features)
    ])
    numbers = 1000 * (10 + 50)
    assert len(pickle.dumps(metric.results)) < 2 * 4 * numbers
