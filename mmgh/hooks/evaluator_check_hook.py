from __future__ import annotations

from typing import Iterable

from mmengine.evaluator import BaseMetric, Evaluator
from mmengine.hooks import Hook
from mmpretrain.evaluation import Accuracy, SingleLabelMetric
from torch import nn
from torch.utils.data import DataLoader

from mmgh.arguments import COUNT
from mmgh.evaluation.dataset_facts import has_no_target_labels
from mmgh.evaluation.metric_names import names_of_metric
from mmgh.evaluation.metric_rules import rules_of_metric
from mmgh.input_error import InputError
from mmgh.registry import HOOKS
from mmgh.unwrap import unwrap
from .monitored import AUTO, Monitored, can_infer_rule, monitored


@HOOKS.register_module()
class EvaluatorCheckHook(Hook):
    """Refuses metrics that the data or the model cannot serve, and names of
    metrics that there are not or that are compared the wrong way round.

    Before a training it asks the metrics of the validation, before a test
    those of the test. Else a training would fail at its first validation, or
    never save its best checkpoint.

    A metric is asked if it has a method ``check_setup(dataset, model)``,
    which raises a ValueError where it is certain that the metric would fail.
    mmpretrain's ``Accuracy`` and ``SingleLabelMetric`` have none; they are
    refused where the target has no labels. All metrics are tried on made-up
    predictions, which tells the names that they log: no two should be the
    same, and ``save_best``, early stopping and schedules that wait for a
    metric should name one of them. Where it is known whether its higher or
    lower values are the better ones, they should not wait for the worst.

    Example:
        >>> custom_hooks = [dict(type='mmgh.EvaluatorCheckHook')]
    """

    def before_train(self, runner) -> None:
        """Check the metrics of the validation, and who waits for them."""
        waiting = list(monitored(runner))
        if runner.val_loop is None:
            for one in waiting:
                if one.name != AUTO:
                    runner.logger.warning(
                        f'{one.who} waits for {one.name!r} in vain: there is '
                        'no validation.')
            return
        names = _check('val', runner.val_evaluator, runner.val_dataloader,
                       unwrap(runner.model))
        rules: dict[str, str] = {}
        for metric in getattr(runner.val_evaluator, 'metrics', ()):
            rules.update(rules_of_metric(metric))
        for one in waiting:
            if names:
                one = _found(runner, one, names)
            _check_rule(one, rules.get(one.name))

    def before_test(self, runner) -> None:
        """Check the metrics of the test."""
        _check('test', runner.test_evaluator, runner.test_dataloader,
               unwrap(runner.model))


def _check(kind: str, evaluator: Evaluator, dataloader: DataLoader,
           model: nn.Module) -> list[str] | None:
    """Return the names of all metrics, if they are certain."""
    metrics = getattr(evaluator, 'metrics', ())
    _check_topk(metrics)
    for metric in metrics:
        if hasattr(metric, 'check_setup'):
            metric.check_setup(dataloader.dataset, model)
        elif (type(metric) in (Accuracy, SingleLabelMetric)
              and has_no_target_labels(dataloader.dataset)):
            raise InputError(
                f'`{kind}_evaluator` should need no target labels, since '
                f'`with_label` of the `{kind}_dataloader` is False, but it '
                f'has {type(metric).__name__}. Set it to '
                "'mmgh.UnsupervisedMetric'.")
    if type(evaluator) is not Evaluator or not _num_classes(model):
        return None
    return _names(kind, metrics, _num_classes(model))


def _check_topk(metrics: Iterable[BaseMetric]) -> None:
    """Refuse what slices predictions without an error: the accuracy would be
    that of no class, or of all but some."""
    for metric in metrics:
        if isinstance(metric, Accuracy):
            for k in metric.topk:
                COUNT.check(topk=k)
        _check_topk(getattr(metric, 'metrics', ()))


def _names(kind: str, metrics, num_classes: int) -> list[str] | None:
    names: list[str] = []
    is_certain = True
    for metric in metrics:
        found = names_of_metric(metric, num_classes)
        is_certain &= found is not None
        for name in found or ():
            if name in names:
                raise InputError(
                    f'The metrics of `{kind}_evaluator` should have different '
                    f'names, but two are {name!r}. Set their `prefix`.')
            names.append(name)
    return names if is_certain else None


def _num_classes(model: nn.Module) -> int | None:
    for name in ('head', 'uda_head'):
        number = getattr(getattr(model, name, None), 'num_classes', None)
        if number:
            return number
    return None


def _found(runner, one: Monitored, names: list[str]) -> Monitored:
    """Return it with the name of a metric that there is."""
    if one.name not in (AUTO, *names):
        raise InputError(f'{one.who} should be a metric of `val_evaluator`, '
                         f'one of {names}, but got {one.name!r}.')
    if one.name != AUTO:
        return one
    first = names[0]
    if one.rule is None and not can_infer_rule(runner, first):
        raise InputError(
            f"`rule` of {one.owner} should be 'greater' or 'less' with "
            f"`{one.setting}='{AUTO}'`, since the name of the first metric, "
            f'{first!r}, does not tell which value is the better one.')
    return one._replace(name=first)


def _check_rule(one: Monitored, right: str | None) -> None:
    """Refuse to wait for the worst value."""
    if right is not None and one.rule not in (None, right):
        better = dict(greater='higher', less='lower')[right]
        raise InputError(
            f'`rule` of {one.owner} should be {right!r} with '
            f'`{one.setting}={one.name!r}`, of which the {better} value is '
            f'the better one, but got {one.rule!r}.')
