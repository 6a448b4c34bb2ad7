from __future__ import annotations

from mmengine.hooks import Hook
from mmpretrain.evaluation import Accuracy, SingleLabelMetric
from torch.utils.data import DataLoader

from mmgh.evaluation.dataset_facts import has_no_target_labels
from mmgh.registry import HOOKS
from mmgh.unwrap import unwrap


@HOOKS.register_module()
class EvaluatorCheckHook(Hook):
    """Refuses metrics that the data or the model cannot serve.

    Before a training it asks the metrics of the validation, before a test
    those of the test. Else a training would fail at its first validation.

    A metric is asked if it has a method ``check_setup(dataset, model)``,
    which raises a ValueError where it is certain that the metric would fail.
    mmpretrain's ``Accuracy`` and ``SingleLabelMetric`` have none; they are
    refused where the target has no labels.

    Example:
        >>> custom_hooks = [dict(type='mmgh.EvaluatorCheckHook')]
    """

    def before_train(self, runner) -> None:
        """Check the metrics of the validation."""
        if runner.val_loop is not None:
            _check('val', runner.val_evaluator, runner.val_dataloader,
                   runner.model)

    def before_test(self, runner) -> None:
        """Check the metrics of the test."""
        _check('test', runner.test_evaluator, runner.test_dataloader,
               runner.model)


def _check(kind: str, evaluator, dataloader: DataLoader, model) -> None:
    for metric in getattr(evaluator, 'metrics', ()):
        if hasattr(metric, 'check_setup'):
            metric.check_setup(dataloader.dataset, unwrap(model))
        elif (type(metric) in (Accuracy, SingleLabelMetric)
              and has_no_target_labels(dataloader.dataset)):
            raise ValueError(
                f'`{kind}_evaluator` should need no target labels, since '
                f'`with_label` of the `{kind}_dataloader` is False, but it '
                f'has {type(metric).__name__}. Set it to '
                "'mmgh.UnsupervisedMetric'.")
