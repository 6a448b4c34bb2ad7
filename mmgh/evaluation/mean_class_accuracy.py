from __future__ import annotations

from typing import Any, Sequence

import torch
from mmengine.evaluator import BaseMetric
from torch import nn
from torch.utils.data import Dataset

from mmgh.input_error import InputError
from mmgh.registry import METRICS
from .dataset_facts import has_no_target_labels


@METRICS.register_module()
class MeanClassAccuracy(BaseMetric):
    r"""Mean of the accuracies of the classes that have images, in percent.

    .. math::
        \frac{100}{|C|} \sum_{c \in C} \frac{1}{N_c} \sum_{i: y_i = c}
        [\hat y_i = y_i]

    with the labels :math:`y_i`, the predicted ones :math:`\hat y_i`, and the
    classes :math:`C` of which there are :math:`N_c > 0` images. It is logged
    as ``accuracy/mean_class``.

    It is also known as balanced accuracy. The recall of mmpretrain's
    ``SingleLabelMetric`` is the same where all classes have images; a class
    without any it counts as 0.

    Args:
        prefix (str): Of the logged name. Defaults to ``'accuracy'``.
        **kwargs: Arguments of :class:`mmengine.evaluator.BaseMetric`.

    Example:
        >>> val_evaluator = [
        ...     dict(type='Accuracy'), dict(type='mmgh.MeanClassAccuracy')]
    """

    default_prefix = 'accuracy'

    def check_setup(self, dataset: Dataset, model: nn.Module) -> None:
        """Refuse data without labels.

        Raises:
            ValueError: If it is certain that target images have none.
        """
        if has_no_target_labels(dataset):
            raise InputError(_wrong_labels(0))

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep label and predicted label of each image."""
        self.results += [(_label(sample), _predicted_label(sample))
                         for sample in data_samples]

    def compute_metrics(self,
                        results: list[tuple[int, int]]) -> dict[str, float]:
        """Average over the classes that occur among the labels."""
        labels, predicted = torch.tensor(results).T
        _, classes = labels.unique(return_inverse=True)
        hits = torch.bincount(classes, weights=(labels == predicted).double())
        accuracies = hits / torch.bincount(classes)
        return dict(mean_class=100 * accuracies.mean().item())


def _label(sample: dict) -> int:
    labels = sample.get('gt_label', ())
    if len(labels) != 1:
        raise InputError(_wrong_labels(len(labels)))
    return int(labels)


def _wrong_labels(number: int) -> str:
    return ('MeanClassAccuracy needs one label of each image, but one has '
            f'{number}. Give labels for testing, or leave this metric out of '
            'the evaluator.')


def _predicted_label(sample: dict) -> int:
    if 'pred_score' in sample:
        return int(sample['pred_score'].argmax())
    return int(sample['pred_label'])
