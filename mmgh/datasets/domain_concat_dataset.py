from __future__ import annotations

from typing import Sequence

from mmengine.dataset import BaseDataset
from torch.utils.data import Dataset

from mmgh.registry import DATASETS
from .domains import build_domains, load_item


@DATASETS.register_module()
class DomainConcatDataset(Dataset):
    """All source images, then all target images: for validation and test.

    The ``data_samples`` of each image have the meta information ``domain``,
    ``'source'`` or ``'target'``, by which
    :class:`~mmgh.evaluation.UnsupervisedMetric` and
    :class:`~mmgh.evaluation.DomainMetric` know them. Labels stay, where there
    are any.

    Args:
        source (dict | Dataset): A data set with labels, best of images that
            are not trained on.
        target (dict | Dataset): A data set, with or without labels.

    Raises:
        ValueError: If a domain is missing or empty, or if both name their
            classes and the names or their order differ.

    Example:
        >>> val_dataloader = dict(
        ...     batch_size=100,
        ...     dataset=dict(
        ...         type='mmgh.DomainConcatDataset',
        ...         source=dict(type='CustomDataset', data_root='data/photos'),
        ...         target=dict(
        ...             type='CustomDataset',
        ...             data_root='data/art',
        ...             with_label=False)),
        ...     sampler=dict(type='DefaultSampler', shuffle=False))
    """

    def __init__(self, source: dict | BaseDataset,
                 target: dict | BaseDataset) -> None:
        self.source, self.target = build_domains(source, target)

    @property
    def metainfo(self) -> dict:
        """Meta information of the source."""
        return self.source.metainfo

    @property
    def CLASSES(self) -> Sequence[str] | None:
        """Names of the classes, as mmpretrain's hooks ask for them."""
        return self.metainfo.get('classes')

    def __len__(self) -> int:
        """Count the images of both domains."""
        return len(self.source) + len(self.target)

    def __getitem__(self, index: int) -> dict:
        domain, dataset = 'source', self.source
        if index >= len(self.source):
            domain, dataset = 'target', self.target
            index -= len(self.source)
        item = load_item(domain, dataset, index)
        item['data_samples'].set_metainfo(dict(domain=domain))
        return item
