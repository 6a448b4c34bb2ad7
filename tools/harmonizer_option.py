"""The option --harmonizer of train.py."""
from __future__ import annotations

import argparse
from typing import Callable

from mmengine.config import Config, ConfigDict

from mmgh.input_error import InputError
from mmgh.optim import harmonization_arguments
from mmgh.registry import TASK_UTILS

HARMONIZING = {
    'OptimWrapper': 'mmgh.GHOptimWrapper',
    'AmpOptimWrapper': 'mmgh.GHAmpOptimWrapper',
}
STOCK = {ours: stock for stock, ours in HARMONIZING.items()}


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
    try:
        if args.harmonizer == 'none':
            remove_harmonizer(cfg.optim_wrapper)
        else:
            set_harmonizer(cfg, args.harmonizer, args.cfg_options or {})
    except InputError as error:
        raise SystemExit(f'--harmonizer {error}') from error
    if args.work_dir is None:
        # Else it would go on from, or replace, what is not its own.
        cfg.work_dir += '_' + args.harmonizer.rpartition('.')[-1]


def set_harmonizer(cfg: Config, name: str, options: dict) -> None:
    """Harmonize with the named one; all else of the optim wrapper stays.

    Args:
        cfg: Its harmonizer keeps its options if it is of that type, and gives
            way with them if it is of another.
        name: Of a harmonizer.
        options: Of ``--cfg-options``: those of a harmonizer are for this one.

    Raises:
        InputError: If there is none of that name, or the optim wrapper cannot
            harmonize. What is wrong stands before the message.
    """
    kind = _known(name)
    part = _harmonizing_part(cfg)
    harmonizer = dict(
        type=f'mmgh.{name}' if name in TASK_UTILS.module_dict else name)
    found = part.get('harmonizer')
    if isinstance(found, dict) and _find(found.get('type', name)) is kind:
        part.harmonizer = {**harmonizer, **found}
        return
    part.harmonizer = harmonizer
    cfg.merge_from_dict({
        key: value
        for key, value in options.items()
        if '.harmonizer.' in key and not key.endswith('.harmonizer.type')
    })


def replace_harmonizer(cfg: Config, harmonizer: dict) -> None:
    """Harmonize with this one and nothing of the config's.

    Args:
        cfg: All else of its optim wrapper stays.
        harmonizer: Its config.

    Raises:
        InputError: As of :func:`set_harmonizer`.
    """
    _known(harmonizer.get('type'))
    _harmonizing_part(cfg).harmonizer = harmonizer


def remove_harmonizer(wrapper: ConfigDict) -> None:
    """Leave the stock wrapper of the same precision, with its options."""
    features = _of_features(wrapper)
    if features is not wrapper:
        wrapper.pop('type', None)
    features.type = _swapped(features, STOCK)
    for part in (wrapper, features):
        for name in harmonization_arguments():
            part.pop(name, None)


def _harmonizing_part(cfg: Config) -> ConfigDict:
    """The optim wrapper that harmonizes from now on."""
    wrapper = cfg.optim_wrapper
    part = wrapper if 'harmonizer' in wrapper else _of_features(wrapper)
    part.type = _swapped(part, HARMONIZING)
    return part


def _of_features(wrapper: ConfigDict) -> ConfigDict:
    """The one that may harmonize where there are several."""
    return wrapper.get('generator', wrapper)


def _swapped(wrapper: ConfigDict, types: dict[str, str]) -> str:
    """The type to take instead of the wrapper's.

    Never of one that we do not know: its behaviour would silently be lost.
    """
    found = wrapper.get('type', 'OptimWrapper')
    if found not in HARMONIZING and found not in STOCK:
        raise InputError('works with `optim_wrapper.type` '
                         f'{" or ".join([*HARMONIZING, *STOCK])}, but the '
                         f'config has {found}.')
    return types.get(found, found)


def _known(harmonizer: str | Callable) -> Callable:
    kind = _find(harmonizer)
    if kind is None:
        raise InputError('should be none, or one of '
                         f'{", ".join(sorted(TASK_UTILS.module_dict))}, but '
                         f'got {harmonizer}.')
    return kind


def _find(harmonizer: str | Callable) -> Callable | None:
    """What a config's `type` stands for."""
    if isinstance(harmonizer, str):
        try:
            harmonizer = TASK_UTILS.get(harmonizer)
        except RuntimeError:  # for some names that are not there
            return None
    return harmonizer if callable(harmonizer) else None
