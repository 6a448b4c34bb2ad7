"""The config counts, also where that of the run so far was another."""
from __future__ import annotations

import logging
import warnings
from typing import Any, Iterator, Mapping, Sequence

from mmengine.logging import print_log
from mmengine.optim import _ParamScheduler

from .optim_wrappers import wrappers_by_name

# What a checkpoint says of a setting: the setting, and its value for each
# group of parameters or schedule.
Description = dict[str, list[str]]
# Parts of an optim wrapper's state that the config and the schedules set.
_SETTINGS = ('param_groups', 'base_param_settings')


def describe_schedules(runner) -> Description:
    """Describe optimizers and schedules as they were built."""
    described: Description = {}

    def note(name: str, value: Any) -> None:
        described.setdefault(name, []).append(repr(value))

    for name, wrapper in wrappers_by_name(runner.optim_wrapper).items():
        prefix = f'optim_wrapper.{name}.' if name else 'optim_wrapper.'
        for group in wrapper.param_groups:
            for option, value in group.items():
                # What is scheduled is told by its initial value.
                if option != 'params' and f'initial_{option}' not in group:
                    note(f"{prefix}{option.replace('initial_', '')}", value)
    for name, schedules in _schedules_by_name(runner).items():
        prefix = f'param_scheduler.{name}.' if name else 'param_scheduler.'
        for schedule in schedules:
            note(f'{prefix}type', type(schedule).__name__)
            for option, value in vars(schedule).items():
                is_setting = not (option.startswith('_') or callable(value)
                                  or option in ('optimizer', 'base_values'))
                if is_setting:
                    note(prefix + option, value)
    return described


def describe_data(runner) -> Description:
    """Describe what decides which images an iteration sees."""
    loader = runner.train_loop.dataloader
    sampler = getattr(loader.batch_sampler, 'sampler', loader.sampler)
    facts = {
        'number of processes': runner.world_size,
        'train_dataloader.batch_size': loader.batch_size,
        'train_dataloader.sampler': type(sampler).__name__,
        'number of training images': len(loader.dataset),
    }
    for name, wrapper in wrappers_by_name(runner.optim_wrapper).items():
        counts = getattr(wrapper, '_accumulative_counts', 1)
        facts[f"optim_wrapper.{name and f'{name}.'}accumulative_counts"] = (
            counts)
    return {name: [repr(value)] for name, value in facts.items()}


def adopt_config(runner, checkpoint: dict, before: Mapping) -> None:
    """Let the config of a resumed run count, and tell what is new in it.

    The checkpoint gets the settings of optimizers and schedules that it would
    have if the config had been this one from the start; the runner then takes
    them from there.

    Args:
        runner (Runner): Its optimizers and schedules are as they were built.
        checkpoint (dict): To resume from.
        before (Mapping): ``schedules`` and ``data``, described at the start
            of the run so far.
    """
    changes = _changes(before['schedules'], describe_schedules(runner))
    if changes and not _replay(runner, checkpoint):
        _warn('These settings are no more those of the run so far, which go '
              'on to count, since a schedule follows validations', changes)
    elif changes:
        _warn('These settings are no more those of the run so far; now they '
              'count, as if they had from the start', changes)
    changes = _changes(before['data'], describe_data(runner))
    if changes:
        _warn('The resumed run sees other images in an iteration than an '
              'uninterrupted one would, since these are no more those of the '
              'run so far', changes)


def _changes(before: Description, now: Description) -> list[str]:
    return [
        f'{name} is {_text(now.get(name))}, was {_text(before.get(name))}'
        for name in {**before, **now} if before.get(name) != now.get(name)
    ]


def _text(values: Sequence[str] | None) -> str:
    return 'not set' if values is None else ', '.join(dict.fromkeys(values))


def _warn(sentence: str, changes: list[str]) -> None:
    print_log(
        f"{sentence}: {'; '.join(changes)}.",
        logger='current',
        level=logging.WARNING)


def _replay(runner, checkpoint: dict) -> bool:
    """Let new schedules run up to a checkpoint, and their state be in it.

    Returns:
        bool: False, and nothing done, if one depends on validations.
    """
    by_name = _schedules_by_name(runner)
    schedules = [s for part in by_name.values() for s in part]
    if any(getattr(s, 'need_val_args', False) for s in schedules):
        return False
    with warnings.catch_warnings():
        # That no step of the optimizer is between those of a schedule.
        warnings.simplefilter('ignore', UserWarning)
        for schedule in _order_of_steps(
                schedules, checkpoint['meta'], len(runner.train_dataloader)):
            schedule.step()
    states = {
        name: [schedule.state_dict() for schedule in part]
        for name, part in by_name.items()
    }
    if states:
        checkpoint['param_schedulers'] = states.get('', states)
    for name, wrapper in wrappers_by_name(runner.optim_wrapper).items():
        saved = checkpoint.get('optimizer')
        if saved is not None:
            _take_settings(saved[name] if name else saved,
                           wrapper.state_dict())
    return True


def _order_of_steps(schedules: list[_ParamScheduler], meta: Mapping,
                    epoch_length: int) -> Iterator[_ParamScheduler]:
    """Yield schedules as often, and in the order, as a run steps them."""
    by_epoch = [s for s in schedules if s.by_epoch]
    by_iteration = [s for s in schedules if not s.by_epoch]
    for i in range(1, meta['iter'] + 1):
        yield from by_iteration
        if i % epoch_length == 0 and i // epoch_length <= meta['epoch']:
            yield from by_epoch


def _take_settings(saved: dict, built: dict) -> None:
    if [len(group['params']) for group in saved['param_groups']
        ] != [len(group['params']) for group in built['param_groups']]:
        return  # torch will refuse it
    saved.update({name: built[name] for name in _SETTINGS if name in built})


def _schedules_by_name(runner) -> dict[str, list[_ParamScheduler]]:
    schedules = runner.param_schedulers
    if isinstance(schedules, Mapping):
        return dict(schedules)
    return {'': schedules} if schedules else {}
