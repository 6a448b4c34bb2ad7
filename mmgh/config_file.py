"""Reading a config, with settings that replace some of its own."""
from __future__ import annotations

import sys
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, Mapping

from mmengine.config import Config
from mmengine.config.utils import ConfigParsingError
from mmengine.utils import import_modules_from_strings

from mmgh.config_names import check_names, check_settings
from mmgh.config_place import find_config
from mmgh.config_slips import slip_message
from mmgh.config_text import read_assignments
from mmgh.input_error import InputError
from mmgh.nested import nested_dicts

_KNOWN_PACKAGES = ('mmengine', 'mmcv', 'mmpretrain', 'mmgh')


def read_config(path: str | Path, options: dict | None = None) -> Config:
    """Read a file with a config.

    Args:
        path (str | Path): The file, or what :func:`find_config` finds.
        options (dict, optional): Settings that replace those of the config.
            Defaults to None.

    Raises:
        FileNotFoundError: If the config, or a base of it, is not there.
        InputError: If it is none, lacks a module, does not take the options,
            or has a name that is a slip of one that MMEngine reads.
    """
    path = find_config(path)
    try:
        with _missing_module_named(path), warnings.catch_warnings():
            # MMEngine's way to find `package::config`, told for each base.
            warnings.filterwarnings('ignore', 'pkg_resources is deprecated')
            cfg = _read(path)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f'{path} should be a config that is there, with all of its bases, '
            f'but: {error}') from error
    except (ConfigParsingError, OSError) as error:
        raise InputError(f'{path} should be a config that MMEngine reads, '
                         f'but: {error}') from error
    except Exception as error:
        message = slip_message(error, path)
        if message is None:
            raise
        raise InputError(f'{path} should be a config that MMEngine reads, '
                         f'but {message}.') from error
    check_names(cfg, path)
    return with_options(cfg, options, path)


def _read(path: Path) -> Config:
    """Read a file; also one that MMEngine wrote for a run, in which an
    infinite number is no Python."""
    try:
        return Config.fromfile(path)
    except NameError:
        cfg = _read_written(path)
        if cfg is None:  # a name that its author forgot
            raise
        import_custom_modules(cfg, path)
        return cfg


def _read_written(path: Path) -> Config | None:
    try:
        values = read_assignments(path.read_text())
    except ValueError:
        return None
    # MMEngine writes out what a config has of its bases.
    return None if '_base_' in values else Config(values, filename=str(path))


def parse_values(text: str, options: dict | None, path: str | Path) -> Config:
    """Read a config that a checkpoint holds, for who builds nothing of it: no
    module is imported.

    Args:
        text (str): As MMEngine writes it.
        options (dict, optional): Settings that replace those of the config.
        path (str | Path): Of the checkpoint in messages.

    Raises:
        InputError: If it is more than plain values, or does not take the
            options.
    """
    try:
        cfg = Config(read_assignments(text))
    except (KeyError, ValueError) as error:
        raise InputError(
            f'{path} should have a config of plain values, `name = value`, of '
            f'which nothing is run, but {error}.') from error
    return with_options(cfg, options, path)


def untrusted_imports(text: str, options: dict | None,
                      path: str | Path) -> list[str]:
    """Return the modules in ``custom_imports`` of a config that a checkpoint
    holds which nobody has imported, and which the options do not name, too.

    They are those of the user who trained, and importing runs them.

    Args:
        text (str): See :func:`parse_values`.
        options (dict, optional): See :func:`parse_values`.
        path (str | Path): See :func:`parse_values`.
    """
    trusted = _imports_of(_nested(options or {}))
    return [name for name in _imports_of(parse_values(text, None, path))
            if name not in trusted and not _is_known(name)]


def parse_config(text: str, options: dict | None, path: str | Path) -> Config:
    """Read a config that a checkpoint holds, without running it, and import
    what it needs, if that is known or if the options name it, too.

    Args:
        text (str): See :func:`parse_values`.
        options (dict, optional): See :func:`parse_values`.
        path (str | Path): See :func:`parse_values`.

    Raises:
        InputError: If it is more than plain values, names a module that
            nobody has imported, or does not take the options.
    """
    cfg = parse_values(text, options, path)
    unknown = untrusted_imports(text, options, path)
    if unknown:
        raise InputError(
            f'{path} should name no modules in `custom_imports` but those of '
            f'OpenMMLab, as importing runs them, but has {unknown}. If they '
            'are yours: --cfg-options custom_imports.imports='
            f"{','.join(unknown)}")
    import_custom_modules(cfg, path)
    _check_scope(cfg.to_dict(), path)
    return cfg


def import_custom_modules(cfg: Config, path: str | Path) -> None:
    """Import what ``custom_imports`` of a config names.

    Raises:
        InputError: If a module is not there.
    """
    imports = cfg.get('custom_imports') or {}
    with _missing_module_named(path):
        import_modules_from_strings(
            imports.get('imports', []),
            imports.get('allow_failed_imports', False))


def _imports_of(cfg: Mapping) -> list[str]:
    names = (cfg.get('custom_imports') or {}).get('imports') or []
    return [names] if isinstance(names, str) else list(names)


def _is_known(module: str) -> bool:
    return module in sys.modules or module.split('.')[0] in _KNOWN_PACKAGES


def _check_scope(cfg: object, path: str | Path) -> None:
    """Refuse names of packages that MMEngine would import to look for types,
    at any depth."""
    for _, node in nested_dicts(cfg):
        for key in ('default_scope', '_scope_'):
            scope = node.get(key)
            if scope is not None and not _is_known(str(scope)):
                raise InputError(
                    f'`{key}` in the config of {path} should be one of '
                    f'{_KNOWN_PACKAGES}, or be imported, but is {scope!r}.')


def with_options(cfg: Config, options: dict | None,
                 path: str | Path) -> Config:
    """Replace settings of a config.

    Args:
        cfg (Config): It is changed.
        options (dict, optional): By name, such as ``model.head.loss``.
        path (str | Path): Of the config in the message.

    Raises:
        InputError: If the config does not take them, nothing reads one, or
            one is a slip of another.
    """
    nested = _nested(options or {})
    check_names(Config(nested), 'a setting')
    check_settings(nested, cfg)
    try:
        cfg.merge_from_dict(options or {})
    except (AssertionError, KeyError, TypeError) as error:
        raise InputError(f'{path} should take the options {options}, but: '
                         f'{error}') from error
    return cfg


def _nested(options: dict) -> dict:
    """Return settings as they stand in a config; later ones count."""
    nested: dict = {}
    for path, value in options.items():
        node = nested
        *outer, name = path.split('.')
        for key in outer:
            if not isinstance(node.get(key), dict):
                node[key] = {}
            node = node[key]
        node[name] = value
    return nested


@contextmanager
def _missing_module_named(path: str | Path) -> Iterator[None]:
    """Tell which module is not there; any other failure of an import is of
    the module itself, and keeps its traceback."""
    try:
        yield
    except ImportError as error:
        first: BaseException | None = error
        while first and not isinstance(first, ModuleNotFoundError):
            first = first.__cause__ or first.__context__
        if first is None:
            raise
        raise InputError(
            f'{path} needs the module {first.name or first}, which is not '
            'there: set '
            'PYTHONPATH to the folder that has it.') from error
