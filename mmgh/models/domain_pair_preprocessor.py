from __future__ import annotations

from typing import Sequence

import torch
from mmengine.model import BaseDataPreprocessor
from mmpretrain.structures import DataSample
from torch import nn

from mmgh.arguments import COUNT
from mmgh.input_error import InputError, InputTypeError
from mmgh.registry import MODELS


@MODELS.register_module()
class DomainPairDataPreprocessor(BaseDataPreprocessor):
    """Preprocesses each domain of a training batch by itself.

    The batch of one domain has labels and that of the other has none, which
    mmpretrain's preprocessor cannot take in one batch. In validation and test
    the batch is an ordinary one, or one of both domains, of which only some
    images have labels. Batch augmentations such as Mixup mix images of the
    source alone: one of two target images would have no class to be found.

    ``UDAClassifier`` puts it around the preprocessor of its config.

    Args:
        preprocessor (dict | nn.Module): What preprocesses one domain, such as
            ``dict(type='ClsDataPreprocessor', ...)``.
        num_classes (int, optional): Of the model, which no label should
            exceed. Defaults to None: not known.

    Example:
        >>> data_preprocessor = dict(
        ...     type='mmgh.DomainPairDataPreprocessor',
        ...     preprocessor=dict(
        ...         type='ClsDataPreprocessor',
        ...         mean=[127.5] * 3,
        ...         std=[127.5] * 3))
    """

    def __init__(self,
                 preprocessor: dict | nn.Module,
                 num_classes: int | None = None) -> None:
        super().__init__()
        COUNT.or_none().check(num_classes=num_classes)
        if isinstance(preprocessor, dict):
            preprocessor = MODELS.build(preprocessor)
        if not isinstance(preprocessor, nn.Module):
            raise InputTypeError(
                '`preprocessor` should be a config such as '
                f"dict(type='ClsDataPreprocessor'), but got {preprocessor!r}.")
        if getattr(preprocessor, 'num_classes', 0) is None:
            preprocessor.num_classes = num_classes
        self.preprocessor = preprocessor
        self.num_classes = num_classes

    @property
    def batch_augments(self):
        """Mixes images of the source; mmpretrain's SwitchRecipeHook sets
        it."""
        return self.preprocessor.batch_augments

    @batch_augments.setter
    def batch_augments(self, augments) -> None:
        self.preprocessor.batch_augments = augments

    def forward(self, data: dict, training: bool = False) -> dict:
        """Preprocess a batch.

        Args:
            data (dict): In training ``dict(source=..., target=...)`` of
                batches, else one batch, or such a pair: then the images of
                both domains become one.
            training (bool): Whether the batch is for training.

        Returns:
            dict: ``inputs``, in training ``dict(source=..., target=...)`` of
            tensors ``(N, C, H, W)``, and ``data_samples``, in training those
            of the source, and of a pair out of training None.
        """
        if not training:
            if isinstance(data, dict) and {'source', 'target'} <= set(data):
                return self._both_domains(data)
            return self._forward_test(data)
        if not isinstance(data, dict) or not {'source', 'target'} <= set(data):
            raise InputTypeError(
                'A UDA model should be trained on a domain pair, but got '
                f'{_describe(data)}. Set `train_dataloader.dataset.'
                "type` to 'mmgh.DomainPairDataset' and `train_dataloader."
                "sampler.type` to 'mmgh.DomainPairSampler'.")
        self._check_labels(data['source'].get('data_samples') or ())
        source = self.preprocessor(data['source'], training)
        target = self.preprocess_target(data['target'])
        for sample in source['data_samples'] or ():
            if 'gt_score' in sample:  # of whole numbers, where it is one-hot
                sample.set_gt_score(sample.gt_score.float())
        return dict(
            inputs=dict(source=source['inputs'], target=target['inputs']),
            data_samples=source['data_samples'])

    def preprocess_target(self, data: dict) -> dict:
        """Preprocess the images of the target for training."""
        return self.preprocessor(data, True)

    def _check_labels(self, samples: Sequence[DataSample]) -> None:
        """Refuse labels beyond the classes of the model.

        Later they would end as an index out of range, and on a GPU far from
        where it was.
        """
        labels = [s.gt_label for s in samples if 'gt_label' in s]
        if self.num_classes is None or not labels or (
                labels[0].device.type != 'cpu'):
            return  # looking at them would wait for the device
        labels = torch.cat(labels)
        wrong = labels[(labels < 0) | (labels >= self.num_classes)]
        if len(wrong):
            raise InputError(
                f'The labels of the source should be from 0 to '
                f'{self.num_classes - 1} with `model.head.num_classes='
                f'{self.num_classes}`, but one is {int(wrong[0])}.')

    def _both_domains(self, data: dict) -> dict:
        """Make one batch of a pair, for hooks that run the model on training
        images, such as mmpretrain's PreciseBNHook."""
        images = [
            self.preprocessor(dict(inputs=data[domain]['inputs']),
                              False)['inputs'] for domain in data
        ]
        if images[0].shape[1:] != images[1].shape[1:]:
            raise InputError(
                'Out of training the images of both domains should have one '
                f'size, but got {tuple(images[0].shape[1:])} and '
                f'{tuple(images[1].shape[1:])}.')
        return dict(inputs=torch.cat(images), data_samples=None)

    def _forward_test(self, data: dict) -> dict:
        samples = data.get('data_samples') or []
        labelled = [s for s in samples if 'gt_label' in s or 'gt_score' in s]
        if len(labelled) in (0, len(samples)):
            return self.preprocessor(data, False)
        # What it does to labels, it does in place.
        result = self.preprocessor({**data, 'data_samples': labelled}, False)
        return {**result, 'data_samples': samples}


def _describe(data) -> str:
    if isinstance(data, dict):
        return f'a batch with the keys {sorted(data)}'
    return f'a {type(data).__name__}'
