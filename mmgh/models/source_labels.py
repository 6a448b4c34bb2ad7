"""Labels of source images, as UDA heads see them."""
from __future__ import annotations

from typing import Sequence

import torch
from mmpretrain.models import ClsHead, MultiLabelClsHead
from mmpretrain.structures import DataSample, label_to_onehot
from torch import Tensor, nn

from mmgh.input_error import InputError, InputTypeError
from .uda_heads import UDAHead


def labels_of(data_samples: Sequence[DataSample], head: nn.Module,
              num_classes: int) -> Tensor:
    """Return classes, or scores where images are mixed or have several.

    Args:
        data_samples (Sequence[DataSample]): Of N images.
        head (nn.Module): The classification head.
        num_classes (int): ``C``.

    Returns:
        Tensor: Integers ``(N, )``, or float scores ``(N, C)``.

    Raises:
        ValueError: If an image has no label, or several classes where the
            classification head is for one.
    """
    if not all('gt_label' in sample or 'gt_score' in sample
               for sample in data_samples):
        raise InputError('The images of the source should have labels, but '
                         'some have none.')
    if 'gt_score' in data_samples[0]:
        return torch.stack([sample.gt_score for sample in data_samples])
    labels = [sample.gt_label.long() for sample in data_samples]
    counts = {len(label) for label in labels}
    if counts == {1}:
        return torch.cat(labels)
    if isinstance(head, ClsHead):
        raise InputError(
            'The images of the source should have one class each with '
            f'`head.type={type(head).__name__}`, but some have '
            f'{max(counts - {1})}.')
    return torch.stack([label_to_onehot(label, num_classes)
                        for label in labels]).float()


def check_labels_of_heads(uda_head: UDAHead, head: nn.Module) -> None:
    """Refuse a classification head for several classes an image with a UDA
    head for one.

    Raises:
        TypeError: If it is one.
    """
    if uda_head.single_label and isinstance(head, MultiLabelClsHead):
        raise InputTypeError(
            '`head` should be one for one class an image with '
            f'`uda_head.type={type(uda_head).__name__}`, such as '
            f'LinearClsHead, but got {type(head).__name__}.')
