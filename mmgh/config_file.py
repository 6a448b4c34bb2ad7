"""Reading a config, with settings that replace some of its own."""
from __future__ import annotations

from pathlib import Path

from mmengine.config import Config
from mmengine.config.utils import ConfigParsingError

from mmgh.input_error import InputError


def read_config(path: str | Path, options: dict | None = None) -> Config:
    """Read a file with a config.

    Args:
        path (str | Path): The file.
        options (dict, optional): Settings that replace those of the config.
            Defaults to None.

    Raises:
        FileNotFoundError: If the config, or a base of it, is not there.
        InputError: If it is none, or does not take the options.
    """
    try:
        cfg = Config.fromfile(path)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f'{path} should be a config that is there, with all of its bases, '
            f'but: {error}') from error
    except ConfigParsingError as error:
        raise InputError(f'{path} should be a config that MMEngine reads, '
                         f'but: {error}') from error
    return with_options(cfg, options, path)


def with_options(cfg: Config, options: dict | None,
                 path: str | Path) -> Config:
    """Replace settings of a config.

    Args:
        cfg (Config): It is changed.
        options (dict, optional): By name, such as ``model.head.loss``.
        path (str | Path): Of the config in the message.

    Raises:
        InputError: If the config does not take them.
    """
    try:
        cfg.merge_from_dict(options or {})
    except (AssertionError, KeyError, TypeError) as error:
        raise InputError(f'{path} should take the options {options}, but: '
                         f'{error}') from error
    return cfg
