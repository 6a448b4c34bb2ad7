"""Errors that a tool tells in one line, without a traceback."""
from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import Iterator

# As a shell tells of a program that Ctrl+C ended.
STOPPED = 130
# Of files that are not there, or that may not be used.
FILE_ERRORS = (FileNotFoundError, FileExistsError, IsADirectoryError,
               NotADirectoryError, PermissionError)


@contextmanager
def one_line_errors(*expected: type[Exception],
                    about: str = '',
                    stopped: str = 'Stopped.') -> Iterator[None]:
    """End the tool with the message of an error that the user can mend.

    Also a decorator. All other errors may be bugs, and keep their traceback.
    A user who stops the tool knows why it ends.

    Args:
        *expected (type[Exception]): Besides those of files.
        about (str): What the error is about, to be told before it.
        stopped (str): What is told whoever stops the tool.
    """
    try:
        yield
    except (*expected, *FILE_ERRORS) as error:
        parts = filter(None, (about, message_of(error)))
        raise SystemExit(': '.join(parts)) from error
    except KeyboardInterrupt as error:
        print(stopped, file=sys.stderr)
        raise SystemExit(STOPPED) from error


def message_of(error: Exception) -> str:
    """Name the option for the argument that the error is about, if any; of
    an error of the system, the file."""
    if isinstance(error, OSError) and None not in (error.filename,
                                                   error.strerror):
        return f'{error.filename}: {error.strerror}'
    argument = getattr(error, 'argument', None)
    if argument is None:
        return sentence_of(error)
    return f"{error} See --{argument.replace('_', '-')}."


def sentence_of(error: Exception) -> str:
    """Return what an error says; torch puts the traceback of a process that
    loads data before it."""
    kind = type(error)
    return str(error).rpartition(
        f'\n{kind.__module__}.{kind.__qualname__}: ')[2].strip()
