from __future__ import annotations

from typing import Sequence

import numpy as np
from mmengine.dataset import BaseDataset
from torch.utils.data import Dataset

from mmgh.input_error import InputTypeError
from mmgh.registry import DATASETS
from .domains import build_domains, load_item


class DomainPair(dict):
    """``dict(source=..., target=...)``: an item, or a batch, of a pair.

    Samplers and collate functions keep the type, so it can tell a model that
    was made for one domain what is wrong.
    """

    def __missing__(self, key: str):
        raise InputTypeError(
            f'A model for one domain should not be trained on a domain pair '
            f'(it asked for {key!r}). Set `model.type` to '
            "'mmgh.UDAClassifier', or `train_dataloader` to a loader of one "
            'domain.')


@DATASETS.register_module()
class DomainPairDataset(Dataset):
    """Pairs a labelled source image with an unlabelled target image.

    An index is a pair ``(i, j)``, which
    :class:`~mmgh.datasets.DomainPairSampler` draws. Of the target image only
    ``inputs`` are handed out: no label, nor anything else that comes with the
    data set, can reach a model from here.

    Args:
        source (dict | Dataset): A data set with labels.
        target (dict | Dataset): A data set; its labels, if any, are ignored.

    Raises:
        ValueError: If a domain is missing or empty, or if both name their
            classes and the names or their order differ.

    Example:
        >>> train_dataloader = dict(
        ...     batch_size=36,
        ...     dataset=dict(
        ...         type='mmgh.DomainPairDataset',
        ...         source=dict(type='CustomDataset', data_root='data/photos'),
        ...         target=dict(type='CustomDataset', data_root='data/art')),
        ...     sampler=dict(type='mmgh.DomainPairSampler', infinite=True))
    """

    def __init__(self, source: dict | BaseDataset,
                 target: dict | BaseDataset) -> None:
        self.source, self.target = build_domains(source, target)

    @property
    def metainfo(self) -> dict:
        """Meta information of the source."""
        return self.source.metainfo

    @property
    def datasets(self) -> list[BaseDataset]:
        """Both domains, in which mmpretrain's hooks replace pipelines."""
        return [self.source, self.target]

    @property
    def CLASSES(self) -> Sequence[str] | None:
        """Names of the classes, as mmpretrain's hooks ask for them."""
        return self.metainfo.get('classes')

    def get_gt_labels(self) -> np.ndarray:
        """Return the labels of the source, as mmpretrain's hooks ask for
        them."""
        return np.array([
            self.source.get_data_info(i)['gt_label']
            for i in range(len(self.source))
        ])

    def __len__(self) -> int:
        """Return the size of the larger domain."""
        return max(len(self.source), len(self.target))

    def __getitem__(self, index: tuple[int, int]) -> DomainPair:
        if not isinstance(index, tuple):
            raise InputTypeError(
                'A DomainPairDataset should be indexed by a pair of numbers, '
                f'but got {index!r}. Set `train_dataloader.sampler.type` to '
                "'mmgh.DomainPairSampler'.")
        source = load_item('source', self.source, index[0])
        target = load_item('target', self.target, index[1])
        return DomainPair(source=source, target=dict(inputs=target['inputs']))
