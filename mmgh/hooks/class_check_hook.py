from __future__ import annotations

from typing import Sequence

from mmengine.hooks import Hook
from torch import nn
from torch.utils.data import Dataset

from mmgh.class_names import (check_folders, check_same_classes,
                              check_same_labels, classes_of, describe_classes)
from mmgh.input_error import InputError
from mmgh.registry import HOOKS
from mmgh.unwrap import unwrap


@HOOKS.register_module()
class ClassCheckHook(Hook):
    """Refuses data whose classes are not those of the model.

    Before a training it compares the number of classes of the training data
    with ``head.num_classes``, and their names, and the folders that labels
    come from, with those of the validation data. Before a test it compares
    the names of the test data with those that the checkpoint was trained on.
    Data sets without class names are not compared.

    Too few classes in a head would else end as an index out of range, too
    many would go unnoticed, and so would labels with other meanings.
    (mmpretrain's ``ClassNumCheckHook`` also asks preprocessors, which mostly
    do not know the number, and does not know domain pairs.)

    Example:
        >>> custom_hooks = [dict(type='mmgh.ClassCheckHook')]
    """

    def __init__(self) -> None:
        self._trained_classes: Sequence[str] | None = None

    def before_train(self, runner) -> None:
        """Check the training data and the validation data."""
        dataset = runner.train_dataloader.dataset
        self._trained_classes = classes_of(dataset)
        _check_head(unwrap(runner.model), dataset)
        if runner.val_loop is not None:
            validated = runner.val_dataloader.dataset
            check_folders(validated, 'the validation data')
            check_same_labels(
                dataset,
                validated,
                sides=('the training data', 'the validation data'))

    def before_test(self, runner) -> None:
        """Check the test data."""
        dataset = runner.test_dataloader.dataset
        check_folders(dataset, 'the test data')
        check_same_classes(
            self._trained_classes,
            classes_of(dataset),
            sides=('the training data', 'the test data'))

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        """Note the classes that the checkpoint was trained on."""
        meta = checkpoint.get('meta', {}).get('dataset_meta') or {}
        self._trained_classes = meta.get('classes')


def _check_head(model: nn.Module, dataset: Dataset) -> None:
    classes = classes_of(dataset)
    # A UDA head knows the number where a classification head does not.
    for name in ('head', 'uda_head'):
        number = getattr(getattr(model, name, None), 'num_classes', None)
        if classes and number not in (None, len(classes)):
            raise InputError(
                f'`model.{name}.num_classes` should be {len(classes)}, the '
                f'number of classes of the training data, but got {number}. '
                f'The classes are {describe_classes(dataset)}.')
