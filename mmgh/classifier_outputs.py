"""What a classification head says of the features that enter it.

Heads of mmpretrain differ in what they return: tensors, or tuples of them
where they have several branches.
"""
from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmgh.input_error import InputError
from mmgh.nested import flatten_tensors


def check_classifier(model: nn.Module) -> None:
    """Refuse a model whose head does not tell of one class an image.

    Raises:
        InputError: If it has no such head, as one of several labels.
    """
    head = getattr(model, 'head', None)
    if not hasattr(head, 'pre_logits'):
        raise InputError(
            '`model` should be a classifier, whose head has scores of classes '
            f'and features before them, but is a {type(model).__name__} with '
            + ('no head.' if head is None else f'a {type(head).__name__}.'))


def check_size(name: str, part: nn.Module, features: Tensor) -> None:
    """Refuse features of another size than a part of the model is for; torch
    would tell that two matrices do not fit.

    Args:
        name (str): The argument of the part that has the size.
        part (nn.Module): A neck or a head, with an attribute of this name.
        features (Tensor): What enters it.

    Raises:
        InputError: If they are no vectors, or of another size.
    """
    kind = type(part).__name__
    if features.ndim != 2:
        raise InputError(
            f'The features that enter {kind} should be of shape (N, D), but '
            f'have {tuple(features.shape)}: is there a `neck` before it such '
            "as dict(type='GlobalAveragePooling')?")
    wanted = getattr(part, name)
    if features.shape[1] != wanted:
        raise InputError(
            f'`{name}` of {kind} should be {features.shape[1]}, the size of '
            f'the features that enter it, but got {wanted}.')


def features_of(head: nn.Module, feats: tuple) -> Tensor:
    """Input of the last classification layer, shape ``(N, D)``; that of
    several branches is concatenated."""
    pre_logits = flatten_tensors(head.pre_logits(feats))
    return torch.cat([tensor.flatten(1) for tensor in pre_logits], dim=1)


def scores_of(head: nn.Module, feats: tuple) -> Tensor:
    """Class scores before softmax, shape ``(N, C)``; a head with several
    branches, such as Conformer's, adds the scores."""
    return sum(flatten_tensors(head(feats)))


def check_finite_outputs(path: str | Path, **outputs: Tensor) -> None:
    """Refuse a classifier that gives infinite numbers or NaN.

    Args:
        path (str | Path): Of its checkpoint, in the message.
        **outputs (Tensor): What it gave, by name.

    Raises:
        InputError: If it does.
    """
    for name, values in outputs.items():
        if not values.isfinite().all():
            raise InputError(f'{path} should give finite {name}, but does '
                             'not: the training diverged.')


def cross_entropy(scores: Tensor, labels: Tensor) -> Tensor:
    """Return the mean cross-entropy, a scalar.

    Args:
        scores (Tensor): Before softmax, shape ``(N, C)``.
        labels (Tensor): Classes ``(N, )``, or their probabilities ``(N, C)``,
            such as one-hot ones; of any type of number.
    """
    kind = torch.long if labels.dim() == 1 else scores.dtype
    return F.cross_entropy(scores, labels.to(kind))


def most_probable(labels: Tensor) -> Tensor:
    """Return classes ``(N, )`` of labels as of :func:`cross_entropy`."""
    return labels.long() if labels.dim() == 1 else labels.argmax(dim=1)
