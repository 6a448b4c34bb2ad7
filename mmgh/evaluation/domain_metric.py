from __future__ import annotations

from itertools import chain
from typing import Any, Sequence

from mmengine.evaluator import BaseMetric
from torch import nn
from torch.utils.data import Dataset

from mmgh.arguments import one_of
from mmgh.input_error import InputError
from mmgh.registry import METRICS
from .dataset_facts import has_no_source, has_no_target_labels

_PREFIXES = dict(source='source', target='oracle')


@METRICS.register_module()
class DomainMetric(BaseMetric):
    """Other metrics, of the images of one domain.

    Names are logged as ``source/...`` for the source, such as
    ``source/accuracy/top1``, and as ``oracle/...`` for the target: whatever
    looks at target labels tells how good a choice was, and must not make it.

    An image belongs to the domain that its meta information ``domain`` names,
    as :class:`~mmgh.datasets.DomainConcatDataset` sets it, and without it to
    the target.

    Args:
        domain (str): ``'source'`` or ``'target'``.
        metric (dict | BaseMetric | list | tuple): One metric or several. They
            see predictions image by image, and no data batch.
        prefix (str, optional): Of the logged names. Defaults to None:
            ``'source'`` or ``'oracle'``.
        **kwargs: Arguments of :class:`mmengine.evaluator.BaseMetric`.

    Example:
        >>> val_evaluator = [
        ...     dict(type='mmgh.UnsupervisedMetric'),
        ...     dict(
        ...         type='mmgh.DomainMetric',
        ...         domain='source',
        ...         metric=dict(type='Accuracy')),
        ... ]
    """

    def __init__(self,
                 domain: str,
                 metric: dict | BaseMetric | list | tuple,
                 prefix: str | None = None,
                 **kwargs) -> None:
        one_of(*_PREFIXES).check(domain=domain)
        super().__init__(prefix=prefix or _PREFIXES[domain], **kwargs)
        self.domain = domain
        metrics = metric if isinstance(metric, (list, tuple)) else [metric]
        if not metrics or not all(
                isinstance(m, (dict, BaseMetric)) for m in metrics):
            raise InputError('`metric` should be one metric or a list of '
                             f'some, but got {metric!r}.')
        self.metrics = [
            METRICS.build(m) if isinstance(m, dict) else m for m in metrics
        ]

    def check_setup(self, dataset: Dataset, model: nn.Module) -> None:
        """Refuse data that certainly lack what is needed.

        Raises:
            ValueError: If there is no source, or no label of the target.
        """
        if self.domain == 'source' and has_no_source(dataset):
            raise InputError(self._no_images())
        if self.domain == 'target' and has_no_target_labels(dataset):
            raise InputError(self._no_label())

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep what the metrics keep of each image of the domain."""
        for metric in self.metrics:
            metric.dataset_meta = self.dataset_meta
        self.results += [
            self._results_of(sample) if sample.get('domain', 'target') ==
            self.domain else [] for sample in data_samples
        ]

    def _results_of(self, sample: dict) -> list[list]:
        """Return what each metric keeps of one image.

        One of the other domain has an empty list instead: by their number,
        MMEngine removes those that fill up the last batches of ranks. (It
        drops each None before.)
        """
        if 'gt_label' not in sample and 'gt_score' not in sample:
            raise InputError(self._no_label())
        results = []
        for metric in self.metrics:
            metric.process(None, [sample])
            results.append(list(metric.results))
            metric.results.clear()
        return results

    def compute_metrics(self, results: list) -> dict:
        """Compute what the metrics say, under their own prefixes.

        Raises:
            ValueError: If there is no image of the domain, or if two metrics
                have one name.
        """
        results = [kept for kept in results if kept]
        if not results:
            raise InputError(self._no_images())
        values: dict = {}
        for metric, kept in zip(self.metrics, zip(*results)):
            own = metric.compute_metrics(list(chain(*kept)))
            for name, value in own.items():
                name = f'{metric.prefix}/{name}' if metric.prefix else name
                if name in values:
                    raise InputError(
                        'The names of the metrics in `metric` should differ, '
                        f'but two are {name!r}. Set their `prefix`.')
                values[name] = value
        return values

    def _no_images(self) -> str:
        return (f'DomainMetric(domain={self.domain!r}) needs images of the '
                f"{self.domain}, but there is none. Set the loader's "
                "`dataset.type` to 'mmgh.DomainConcatDataset'.")

    def _no_label(self) -> str:
        return (f'DomainMetric(domain={self.domain!r}) needs labels of all '
                f'{self.domain} images, but one has none. Leave this metric '
                'out of the evaluator, or give labels for testing.')
