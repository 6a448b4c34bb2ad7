from __future__ import annotations

from typing import Any, Callable, Iterable, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from mmgh.arguments import Rule, dict_of, one_of
from mmgh.input_error import InputError, InputTypeError
from mmgh.registry import TASK_UTILS
from mmgh.task_losses import (MarkedLoss, attach_task_losses, check_gradients,
                              check_sum, take_apart)
from .harmonized_backward import harmonized_backward
from .measured import Measured
from .probes import ParameterProbe
from .task_weighting import TaskWeighting, memory_of

_SCALAR = Rule(
    'a scalar tensor', lambda value: isinstance(value, Tensor),
    lambda value: value.dim() == 0)


def harmonize(losses: Mapping[str, Tensor] | Tensor,
              parameters: nn.Module | Iterable[Tensor],
              harmonizer: str | dict | Callable | Sequence,
              *,
              pairs: Sequence[Sequence[str]] | None = None,
              shared: Sequence[str] | None = None,
              apply_to: str | None = None,
              max_weight: float | None = None,
              scaler: Any = None,
              accumulated: dict | None = None,
              is_last: bool = True,
              retain_graph: bool = False,
              reduce_dtype: str | None = None) -> Measured | None:
    """Compute the harmonized gradient of several losses; ``backward()`` for
    loops without configs.

    It adds to the ``grad`` fields, as ``sum(losses.values()).backward()``
    would; stepping and zeroing are the caller's. It costs a backward pass and
    the memory of one gradient per task. :class:`GHOptimWrapper` with
    ``probe='parameters'`` runs the same code.

    Where several processes train, the gradients of tasks are averaged over
    them before they are compared, so the model wrapper should not do so:
    let the forward pass run under ``model.no_sync()``.

    Args:
        losses (Mapping[str, Tensor] | Tensor): Of each task, by its name, a
            scalar; the first is task 1. Or a total that carries them, such as
            :class:`mmgh.models.UDAClassifier` makes.
        parameters (nn.Module | Iterable[Tensor]): All that are trained. Others
            that a loss reaches get its plain gradient.
        harmonizer (str | dict | Callable | Sequence): A harmonizer, its name,
            such as ``'GHPlusPlus'``, its config, or any function from a
            ``(K, K)`` Gramian to K weights. Also a list, one for each pair.
            One with a memory, such as ``RelativeClip()``, should be an object
            that the caller keeps, and saves by its ``state_dict``.
        pairs (Sequence[Sequence[str]], optional): As in
            :class:`GHOptimWrapper`.
        shared (Sequence[str], optional): Names of modules or parameters whose
            gradients are compared; ``parameters`` should be the module that
            has them. Defaults to None: the parameters that the tasks all
            reach.
        apply_to (str, optional): As in :class:`GHOptimWrapper`.
        max_weight (float, optional): As in :class:`GHOptimWrapper`.
        scaler (torch.amp.GradScaler, optional): Scales the losses; it should
            also step. Gradients are compared without the scale. Defaults to
            None.
        accumulated (dict, optional): Where the gradients of tasks are kept
            from one micro-batch to the next, so that their sum is harmonized;
            empty at first, and after the last. Defaults to None: each call
            is harmonized by itself, and ``grad`` sums up what they give.
        is_last (bool): Whether this is the last micro-batch before a step.
            Defaults to True.
        retain_graph (bool): Whether to keep the graph. Defaults to False.
        reduce_dtype (str, optional): As in :class:`GHOptimWrapper`.

    Returns:
        Measured | None: Angles, norms, weights; None before the last
        micro-batch. Where gradients are not finite all weights are 1 and
        ``grad`` is not finite either, which a scaler skips.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If there are fewer than two tasks, a loss is no scalar or
            has no gradient, or an argument does not fit.
        RuntimeError: If the tasks share no parameter.

    A step of a plain loop::

        losses = dict(alignment=..., cls=...)
        measured = mmgh.harmonize(losses, model, 'GHPlusPlus')
        optimizer.step()
        optimizer.zero_grad()
    """
    marked = _mark(losses)
    check_gradients(marked)
    weighting = TaskWeighting(
        _config(harmonizer), pairs, max_weight, keeps_memories=False)
    if apply_to is None:
        apply_to = weighting.apply_to
    if accumulated is None and not is_last:
        raise InputError('`accumulated` should be a dict that you keep where '
                         '`is_last` is False, but got None.')
    probe = ParameterProbe(shared, apply_to, reduce_dtype, accumulated)
    trained = _prepare(parameters, probe)
    scale = None
    if scaler is not None:
        scale = scaler.scale(torch.ones_like(marked.total))
        marked = marked.map(lambda loss: loss * scale)
    measured = harmonized_backward(marked, trained, weighting, probe, scale,
                                   retain_graph, is_last)
    _refuse_to_forget(harmonizer, weighting)
    _broadcast_buffers_again(parameters, is_last)
    return measured


def _mark(losses: Mapping[str, Tensor] | Tensor) -> MarkedLoss:
    """Return the losses as a wrapper gets them from a model."""
    if isinstance(losses, Tensor):
        marked = take_apart(losses)
        check_sum(marked)
        return marked
    dict_of(_SCALAR).check(losses=losses)
    if len(losses) < 2:
        raise InputError('`losses` should be of at least two tasks, but got '
                         f'{sorted(losses)}.')
    return take_apart(attach_task_losses(sum(losses.values()), losses))


def _config(harmonizer: str | dict | Callable | Sequence) -> Any:
    """Return the config of a harmonizer that is named, or of a list."""
    if isinstance(harmonizer, (list, tuple)):
        return [_config(one) for one in harmonizer]
    if not isinstance(harmonizer, str):
        return harmonizer
    TASK_UTILS.import_from_location()
    name = harmonizer.removeprefix('mmgh.')
    one_of(*sorted(TASK_UTILS.module_dict)).check(harmonizer=name)
    return dict(type=f'mmgh.{name}')


def _prepare(parameters: nn.Module | Iterable[Tensor],
             probe: ParameterProbe) -> list[Tensor]:
    """Return what is trained, and let the probe look at the model."""
    if isinstance(parameters, nn.Module):
        _refuse_synchronized(parameters)
        probe.prepare(parameters)
        parameters = parameters.parameters()
    elif probe.shared is not None:
        raise TypeError('`parameters` should be the module whose parts '
                        f'`shared` names, but got {type(parameters)}.')
    if not isinstance(parameters, Iterable):
        raise InputTypeError('`parameters` should be a module, or what its '
                             f'`parameters()` returns, but got a '
                             f'{type(parameters).__name__}.')
    return _trained(list(parameters))


def _trained(parameters: list[Tensor]) -> list[Tensor]:
    """Return those that require a gradient, each once."""
    for value in parameters:
        if not isinstance(value, Tensor) or not value.is_leaf:
            raise TypeError('`parameters` should be a module, or what its '
                            f'`parameters()` returns, but has a {type(value)}'
                            ' that is none.')
        if hasattr(value, 'device_mesh'):  # a DTensor
            raise InputError('`parameters` should be whole on each process, '
                             'but some are sharded, as by FSDP.')
    trained = [p for p in dict.fromkeys(parameters) if p.requires_grad]
    if not trained:
        raise InputError('`parameters` should be trained, but none of them '
                         'requires a gradient.')
    return trained


def _refuse_synchronized(model: nn.Module) -> None:
    """Raise an error if torch's DDP waits for the one backward pass whose
    gradients it is to average."""
    if isinstance(model, DistributedDataParallel) and (
            model.require_forward_param_sync):
        raise RuntimeError(
            'The forward pass should run under `model.no_sync()`, since '
            '`mmgh.harmonize` averages the gradients of the tasks over the '
            'processes itself.')


def _broadcast_buffers_again(model: Any, is_last: bool) -> None:
    """Undo what `no_sync` does besides."""
    if is_last and isinstance(model, DistributedDataParallel):
        model.require_forward_param_sync = True


def _refuse_to_forget(harmonizer: str | dict | Callable | Sequence,
                      weighting: TaskWeighting) -> None:
    """Raise an error if a harmonizer was built here that has a memory."""
    given = harmonizer if isinstance(harmonizer, (list, tuple)) else [
        harmonizer
    ]
    for one, built in zip(given, weighting.harmonizers):
        if one is not built and memory_of(built):
            raise InputError(
                '`harmonizer` should be an object that you keep, such as '
                f'{type(built).__name__}(...), since its memory would be lost '
                f'after each call, but got {one!r}.')
