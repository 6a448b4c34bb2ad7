"""Slips in a config, and in its bases, told by file and line."""
from __future__ import annotations

from json import JSONDecodeError
from pathlib import Path
from traceback import walk_tb

import addict
from mmengine import config, load
from mmengine.config import Config
from yaml import YAMLError

# What of MMEngine is called with the path of a config, or of a base.
_READ_A_FILE = {
    function.__code__
    for function in (Config.fromfile, Config._file2dict,
                     Config._is_lazy_import, Config._parse_lazy_import)
}
_SYNTAX_ERRORS = {
    '.py': (SyntaxError, UnicodeDecodeError),
    '.json': (JSONDecodeError, UnicodeDecodeError),
    '.yml': (YAMLError, UnicodeDecodeError),
    '.yaml': (YAMLError, UnicodeDecodeError)
}
# Whatever fails in these was asked for by a config.
_READERS = tuple(
    str(Path(package.__file__).parent) for package in (config, addict))


def slip_message(error: Exception, path: Path) -> str | None:
    """Return what is wrong in which file.

    Args:
        error (Exception): That came while a config was read.
        path (Path): Of the config.

    Returns:
        str | None: None if the error is of something that a config imports,
        calls or reads itself.
    """
    places = [(frame.f_code, line, frame.f_locals.get('filename'))
              for frame, line in walk_tb(error.__traceback__)]
    read = [str(name) for code, _, name in places if code in _READ_A_FILE]
    file = read[-1] if read else str(path)
    if isinstance(error, ImportError):
        return None
    if read.count(file) > 3:  # so often each of those that read it
        return f'{file} is a base of itself'
    if (isinstance(error, _SYNTAX_ERRORS.get(Path(file).suffix, ()))
            and getattr(error, 'filename', None) != '<string>'):  # of `eval`
        return _syntax_message(error, file)
    origin = places[-1][0].co_filename
    if origin not in read and not origin.startswith(_READERS):
        return None
    lines = [line for code, line, _ in places if code.co_filename == file]
    place = f'{file}, line {lines[-1]}' if lines else file
    return _no_settings_message(file) or f'{place}: {_text_of(error)}'


def _syntax_message(error: Exception, file: str) -> str:
    named = getattr(error, 'filename', None)
    if named and Path(named).is_file():  # a module that a config imports
        file = named
    line, problem = _line_and_problem(error)
    place = '' if line is None else f', line {line}'
    return f'{file}{place}: {problem}'


def _line_and_problem(error: Exception) -> tuple[int | None, str]:
    if isinstance(error, (JSONDecodeError, SyntaxError)):
        return error.lineno, error.msg
    if isinstance(error, UnicodeDecodeError):
        return (error.object.count(b'\n', 0, error.start) + 1,
                f'what is no UTF-8 ({error.reason})')
    mark = getattr(error, 'problem_mark', None)
    problem = getattr(error, 'problem', None) or ' '.join(str(error).split())
    return (None if mark is None else mark.line + 1), problem


def _no_settings_message(file: str) -> str | None:
    """Tell of a file of YAML or JSON that has no settings by their names, as
    an empty one; MMEngine's error is of what it does with them."""
    if Path(file).suffix == '.py':
        return None
    content = load(file)
    names = list(content) if isinstance(content, dict) else None
    if names is not None and all(isinstance(name, str) for name in names):
        return None
    found = type(content).__name__ if names is None else names
    return f'{file} should have settings by their names, but has {found}'


def _text_of(error: Exception) -> str:
    text = ' '.join(' '.join(map(str, error.args)).split()).rstrip('.')
    return f'{type(error).__name__}: {text}'.rstrip(': ')
