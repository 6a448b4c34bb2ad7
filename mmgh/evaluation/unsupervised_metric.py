from __future__ import annotations

from math import nan
from typing import Any, Sequence

import numpy as np
import torch
from mmengine.evaluator import BaseMetric
from torch import Tensor, nn
from torch.utils.data import Dataset

from mmgh.arguments import list_of, one_of
from mmgh.input_error import InputError
from mmgh.registry import METRICS
from .dataset_facts import has_no_source
from .scores import (dev_risk, entropy, mutual_information, nuclear_norm,
                     soft_neighborhood_density)

_OF_PREDICTIONS = {
    'entropy': entropy,
    'mutual_information': mutual_information,
    'nuclear_norm': nuclear_norm,
    'snd': soft_neighborhood_density,
}
_ITEMS = (*_OF_PREDICTIONS, 'dev')
_NO_FEATURES = ("The item 'dev' of UnsupervisedMetric needs predictions with "
                '`features`, but they have none. Set `model.predict_features` '
                'to True.')


@METRICS.register_module()
class UnsupervisedMetric(BaseMetric):
    """Scores that guess how good a classifier is, without target labels.

    They serve to choose a checkpoint or a setting, or to stop early. Where
    images are marked by their ``domain``, as
    :class:`~mmgh.datasets.DomainConcatDataset` does, those of the target
    count; else all do. See :mod:`mmgh.evaluation.scores` for formulas.

    - ``'entropy'``: of the predictions; lower is better.
    - ``'mutual_information'``: certain predictions, of all classes; higher is
      better.
    - ``'nuclear_norm'``: the same by the singular values of all predictions;
      higher is better.
    - ``'snd'``: soft neighbourhood density; higher is better.
    - ``'dev'``: deep embedded validation, the loss on source images, weighted
      as if they were of the target; lower is better. It needs both domains,
      source labels, and ``features`` in the predictions, see
      ``predict_features`` of :class:`~mmgh.models.UDAClassifier`.

    If the model has diverged, so that predictions are not finite, those that
    are computed from them are NaN.

    Args:
        items (Sequence[str]): What to compute. Defaults to all but ``'dev'``.
        prefix (str): Of the logged names. Defaults to ``'unsupervised'``.
        **kwargs: Arguments of :class:`mmengine.evaluator.BaseMetric`.

    Example:
        >>> val_evaluator = dict(
        ...     type='mmgh.UnsupervisedMetric', items=['entropy', 'snd'])
    """

    default_prefix = 'unsupervised'
    lower_is_better = ('entropy', 'dev')
    higher_is_better = tuple(sorted({*_ITEMS}.difference(lower_is_better)))

    def __init__(self,
                 items: Sequence[str] = tuple(_OF_PREDICTIONS),
                 prefix: str | None = None,
                 **kwargs) -> None:
        list_of(one_of(*_ITEMS)).check(items=items)
        super().__init__(prefix=prefix, **kwargs)
        self.items = tuple(items)

    def check_setup(self, dataset: Dataset, model: nn.Module) -> None:
        """Refuse data and models that certainly lack what ``'dev'`` needs.

        Raises:
            ValueError: If there is no source, or if predictions have no
                features.
        """
        if 'dev' not in self.items:
            return
        if has_no_source(dataset):
            raise InputError(self._no_images('source'))
        if getattr(model, 'predict_features', None) is False:
            raise InputError(_NO_FEATURES)

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep what is needed of each image: a few numbers."""
        self.results += [self._result(sample) for sample in data_samples]

    def _result(self, sample: dict) -> dict:
        """Return what is kept of one image.

        An empty one keeps the place of an image that does not count: by their
        number, MMEngine removes those that fill up the last batches of ranks.
        (It drops each None before.)
        """
        is_target = sample.get('domain', 'target') == 'target'
        if not is_target and 'dev' not in self.items:
            return {}
        result = dict(is_target=is_target)
        scores = sample['pred_score'].float()
        if is_target:
            result['probabilities'] = _as_array(scores)
        else:
            result['loss'] = _cross_entropy(scores, sample)
        if 'dev' in self.items:
            result['features'] = _features(sample)
        return result

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Compute the scores of all images.

        Raises:
            ValueError: If a domain that is needed has no image.
        """
        target = [r for r in results if r and r['is_target']]
        source = [r for r in results if r and not r['is_target']]
        if not target or ('dev' in self.items and not source):
            raise InputError(
                self._no_images('source' if target else 'target'))
        predictions = _stack(target, 'probabilities')
        inputs = dict.fromkeys(_OF_PREDICTIONS, (predictions, ))
        if 'dev' in self.items:
            inputs['dev'] = (_stack(source, 'features'),
                             _stack(target, 'features'),
                             _stack(source, 'loss'))
        return {item: _score(item, *inputs[item]) for item in self.items}

    def _no_images(self, domain: str) -> str:
        advice = ', or leave out `dev`' if domain == 'source' else ''
        return (f'`items={list(self.items)}` of UnsupervisedMetric needs '
                f'images of the {domain}, but there is none. Set the '
                "loader's `dataset.type` to 'mmgh.DomainConcatDataset'"
                f'{advice}.')


def _score(item: str, *inputs: Tensor) -> float:
    if not all(tensor.isfinite().all() for tensor in inputs):
        return nan
    return float(_OF_PREDICTIONS.get(item, dev_risk)(*inputs))


def _as_array(tensor: Tensor) -> np.ndarray:
    # Between processes a tensor would take the rest of its batch along.
    return tensor.cpu().numpy()


def _stack(results: list[dict], name: str) -> Tensor:
    return torch.from_numpy(np.stack([result[name] for result in results]))


def _features(sample: dict) -> np.ndarray:
    if 'features' not in sample:
        raise InputError(_NO_FEATURES)
    return _as_array(sample['features'].float())


def _cross_entropy(scores: Tensor, sample: dict) -> np.ndarray:
    """Return that of the label of a source image; finite also where its
    probability is too small for a number."""
    if 'gt_label' not in sample:
        raise InputError("The item 'dev' of UnsupervisedMetric needs labels "
                         'of all source images, but one has none.')
    smallest = torch.finfo(scores.dtype).tiny
    label = sample['gt_label'].to(scores.device)
    return _as_array(-scores[label].clamp(min=smallest).log())[0]
