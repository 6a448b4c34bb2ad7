"""The option --harmonizer of train.py."""
from __future__ import annotations

import argparse
from pathlib import Path
from typing import Callable

from mmengine.config import Config, ConfigDict
from wrapper_types import HARMONIZING, STOCK, find_type, swap_wrapper_type

from mmgh.input_error import InputError
from mmgh.optim import harmonization_arguments
from mmgh.registry import TASK_UTILS

# Of a model with several optimizers.
_PARTS = ('generator', 'classifier')


def add_harmonizer_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--harmonizer',
        metavar='NAME',
        help='harmonize with NAME, such as GH or GHPlusPlus, or with none, '
        'whatever the config does; its options are --cfg-options '
        'optim_wrapper.harmonizer.OPTION=VALUE. Without --work-dir the name '
        'of the work directory ends in NAME')


def apply_harmonizer_option(cfg: Config, args: argparse.Namespace) -> None:
    """Let --harmonizer override the config, to which --cfg-options were
    applied."""
    if args.harmonizer is None:
        return
    options = args.cfg_options or {}
    try:
        if args.harmonizer == 'none':
            refuse_options(options)
            remove_harmonizer(cfg.optim_wrapper)
        else:
            set_harmonizer(cfg, args.harmonizer, options)
    except InputError as error:
        raise SystemExit(f'--harmonizer {error}') from error
    if args.work_dir is None:
        # Else it would go on from, or replace, what is not its own.
        name = args.harmonizer.rpartition('.')[-1]
        cfg.work_dir = f'{Path(cfg.work_dir)}_{name}'


def set_harmonizer(cfg: Config, name: str, options: dict) -> None:
    """Harmonize with the named one; all else of the optim wrapper stays.

    Args:
        cfg: Its harmonizer keeps its options if it is of that type, and gives
            way with them if it is of another.
        name: Of a harmonizer.
        options: Of ``--cfg-options``: those of a harmonizer are for this one.

    Raises:
        InputError: If there is none of that name, it does not take the
            options, or the optim wrapper cannot harmonize. What is wrong
            stands before the message.
    """
    kind = find_harmonizer(name)
    part = _harmonized(cfg)
    swap_wrapper_type(part, HARMONIZING)
    harmonizer = dict(
        type=f'mmgh.{name}' if name in TASK_UTILS.module_dict else name)
    found = part.get('harmonizer')
    if isinstance(found, dict) and find_type(
            TASK_UTILS, found.get('type', name)) is kind:
        part.harmonizer = {**harmonizer, **found}
    else:
        part.harmonizer = harmonizer
        cfg.merge_from_dict({
            key: value
            for key, value in options.items() if '.harmonizer.' in key
            and not key.endswith('.harmonizer.type')
        })
    check_harmonizer(name, _harmonized(cfg).harmonizer)


def check_harmonizer(name: str, harmonizer: ConfigDict) -> None:
    """Refuse options that it does not take, before data are read."""
    try:
        TASK_UTILS.build(harmonizer)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(
            f'{name} should get what it needs, and no more, by '
            '--cfg-options optim_wrapper.harmonizer.OPTION=VALUE, but: '
            f'{error}') from error


def replace_harmonizer(cfg: Config, harmonizer: dict) -> None:
    """Harmonize with this one and nothing of the config's.

    Args:
        cfg: All else of its optim wrapper stays.
        harmonizer: Its config.

    Raises:
        InputError: As of :func:`set_harmonizer`.
    """
    name = harmonizer.get('type')
    find_harmonizer(name)
    check_harmonizer(name, harmonizer)
    part = _harmonized(cfg)
    swap_wrapper_type(part, HARMONIZING)
    part.harmonizer = harmonizer


def remove_harmonizer(wrapper: ConfigDict) -> None:
    """Leave the stock wrapper of the same precision, with its options."""
    parts = [wrapper[name] for name in _PARTS if name in wrapper]
    if parts:
        wrapper.pop('type', None)
    for part in parts or [wrapper]:
        swap_wrapper_type(part, STOCK)
    for part in (wrapper, *parts):
        for name in harmonization_arguments():
            part.pop(name, None)


def refuse_options(options: dict) -> None:
    """Refuse options of harmonization for a run without it."""
    for option in options:
        place, _, rest = option.partition('optim_wrapper.')
        for part in _PARTS:
            rest = rest.removeprefix(f'{part}.')
        name = rest.partition('.')[0]
        if not place and name in harmonization_arguments():
            raise InputError('none should come without options '
                             f'of harmonization, but got {option}.')


def find_harmonizer(name: str) -> Callable:
    """Return the harmonizer of a name, or say what could be meant by it."""
    kind = find_type(TASK_UTILS, name)
    if kind is not None:
        return kind
    if name in _names_of_torchjd():
        raise InputError(
            f'should be TorchJD for the method {name} of torchjd, with '
            f'--cfg-options optim_wrapper.harmonizer.name={name}.')
    raise InputError('should be none, or one of '
                     f'{", ".join(sorted(TASK_UTILS.module_dict))}, but got '
                     f'{name}.')


def _names_of_torchjd() -> list[str]:
    try:
        from torchjd import aggregation
    except ImportError:
        return []
    return aggregation.__all__


def _harmonized(cfg: Config) -> ConfigDict:
    """The one that has the harmonizer, or is to get it."""
    wrapper = cfg.optim_wrapper
    if 'harmonizer' in wrapper:
        return wrapper
    of_classifiers = cfg.get('model', {}).get('harmonized_step') == 'B'
    return wrapper.get(_PARTS[of_classifiers], wrapper)
