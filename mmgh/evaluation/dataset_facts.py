"""What is certain about a data set before an image of it is read."""
from __future__ import annotations

from mmengine.dataset import (BaseDataset, ClassBalancedDataset, ConcatDataset,
                              RepeatDataset)
from mmpretrain.datasets import PackInputs
from torch.utils.data import Dataset


def has_no_source(dataset: Dataset) -> bool:
    """Tell whether no image can be marked as one of the source.

    False if that is not certain, as with data sets, wrappers or transforms of
    other kinds.
    """
    return all(map(_marks_no_domain, _parts(dataset)))


def has_no_target_labels(dataset: Dataset) -> bool:
    """Tell whether target images lack labels, since ``with_label`` is False.

    Data that are not of both domains are the target. False if it is not
    certain.
    """
    target = getattr(dataset, 'target', dataset)
    return any(map(_is_unlabelled, _parts(target)))


def _parts(dataset: Dataset) -> list[Dataset]:
    """Return what MMEngine's wrappers wrap; others may change it."""
    if type(dataset) is ConcatDataset:
        return [part for inner in dataset.datasets for part in _parts(inner)]
    if type(dataset) in (RepeatDataset, ClassBalancedDataset):
        return _parts(dataset.dataset)
    return [dataset]


def _marks_no_domain(dataset: Dataset) -> bool:
    """Tell whether its images are what PackInputs makes, without a
    domain."""
    kind = type(dataset)
    if not (isinstance(dataset, BaseDataset)
            and kind.__getitem__ is BaseDataset.__getitem__
            and kind.prepare_data is BaseDataset.prepare_data):
        return False
    *_, last = [None, *dataset.pipeline.transforms]
    return type(last) is PackInputs and 'domain' not in last.meta_keys


def _is_unlabelled(dataset: Dataset) -> bool:
    return (isinstance(dataset, BaseDataset)
            and getattr(dataset, 'with_label', True) is False
            and 'gt_label' not in dataset.get_data_info(0))
