"""Slips in the text of a config, and of its bases, told by file and line."""
from __future__ import annotations

from json import JSONDecodeError
from pathlib import Path
from traceback import walk_tb

from mmengine.config import Config
from yaml import YAMLError

SYNTAX_ERRORS = (SyntaxError, JSONDecodeError, YAMLError)
# What of MMEngine is called with the path of a config, or of a base.
_READ_A_FILE = {
    function.__code__
    for function in (Config.fromfile, Config._file2dict,
                     Config._is_lazy_import)
}
_RAISED_BY = {
    '.py': SyntaxError,
    '.json': JSONDecodeError,
    '.yml': YAMLError,
    '.yaml': YAMLError
}


def syntax_message(error: Exception) -> str | None:
    """Return what is wrong in which file, for one of ``SYNTAX_ERRORS`` that
    came while MMEngine read a config; None if it is of another file, which a
    config reads itself."""
    file = _file_of(error)
    if not isinstance(error, _RAISED_BY.get(Path(file).suffix, ())):
        return None
    line, problem = _line_and_problem(error)
    place = '' if line is None else f', line {line}'
    return f'{file}{place}: {problem}'


def _line_and_problem(error: Exception) -> tuple[int | None, str]:
    if isinstance(error, (JSONDecodeError, SyntaxError)):
        return error.lineno, error.msg
    mark = getattr(error, 'problem_mark', None)
    problem = getattr(error, 'problem', None) or ' '.join(str(error).split())
    return (None if mark is None else mark.line + 1), problem


def _file_of(error: Exception) -> str:
    """Return the file that was read: MMEngine's errors name none, or a
    copy."""
    named = getattr(error, 'filename', None)
    if named and Path(named).is_file():  # a module that a config imports
        return named
    return [
        str(frame.f_locals['filename'])
        for frame, _ in walk_tb(error.__traceback__)
        if frame.f_code in _READ_A_FILE
    ][-1]
