"""Slips in the text of a config, and of its bases, told by file and line."""
from __future__ import annotations

from json import JSONDecodeError
from pathlib import Path
from traceback import walk_tb

from mmengine import load
from mmengine.config import Config
from yaml import YAMLError

from mmgh.input_error import InputError

SYNTAX_ERRORS = (SyntaxError, JSONDecodeError, YAMLError, UnicodeDecodeError)
# What of MMEngine is called with the path of a config, or of a base.
_READ_A_FILE = {
    function.__code__
    for function in (Config.fromfile, Config._file2dict,
                     Config._is_lazy_import, Config._parse_lazy_import)
}
_RAISED_BY = {
    '.py': (SyntaxError, UnicodeDecodeError),
    '.json': (JSONDecodeError, UnicodeDecodeError),
    '.yml': (YAMLError, UnicodeDecodeError),
    '.yaml': (YAMLError, UnicodeDecodeError)
}


def syntax_message(error: Exception, path: Path) -> str | None:
    """Return what is wrong in which file, for one of ``SYNTAX_ERRORS`` that
    came while the config `path` was read; None if it is of another file,
    which a config reads itself."""
    file = _file_of(error, path)
    if not isinstance(error, _RAISED_BY.get(Path(file).suffix, ())):
        return None
    if getattr(error, 'filename', None) == '<string>':  # of `eval`
        return None
    line, problem = _line_and_problem(error)
    place = '' if line is None else f', line {line}'
    return f'{file}{place}: {problem}'


def check_mapping(path: Path) -> None:
    """Refuse a file of YAML or JSON that has no settings by name, as an empty
    one.

    Raises:
        InputError: If it is no mapping, or a key is no text.
    """
    if path.suffix not in ('.json', '.yml', '.yaml'):
        return
    content = load(path)
    names = list(content) if isinstance(content, dict) else None
    if names is None or not all(isinstance(name, str) for name in names):
        found = type(content).__name__ if names is None else names
        raise InputError(f'{path} should have settings by their names, but '
                         f'has {found}.')


def _line_and_problem(error: Exception) -> tuple[int | None, str]:
    if isinstance(error, (JSONDecodeError, SyntaxError)):
        return error.lineno, error.msg
    if isinstance(error, UnicodeDecodeError):
        return (error.object.count(b'\n', 0, error.start) + 1,
                f'what is no UTF-8 ({error.reason})')
    mark = getattr(error, 'problem_mark', None)
    problem = getattr(error, 'problem', None) or ' '.join(str(error).split())
    return (None if mark is None else mark.line + 1), problem


def _file_of(error: Exception, path: Path) -> str:
    """Return the file that was read: MMEngine's errors name none, or a
    copy."""
    named = getattr(error, 'filename', None)
    if named and Path(named).is_file():  # a module that a config imports
        return named
    read = [
        frame.f_locals['filename']
        for frame, _ in walk_tb(error.__traceback__)
        if frame.f_code in _READ_A_FILE
    ]
    return str(read[-1] if read else path)
