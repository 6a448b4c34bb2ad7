"""Rooms: packages that take in a new file without a line in ``__init__``."""
from __future__ import annotations

import sys
from importlib import import_module
from pkgutil import iter_modules


def import_new_files(room: str) -> None:
    """Import the files of a package that its ``__init__`` does not name.

    So what they register is found. What a file is named after, such as
    ``BNMHead`` in ``bnm_head.py``, also becomes a name of the package and of
    its ``__all__``.

    Args:
        room (str): Name of the package, which is being imported: its
            ``__name__``.
    """
    package = sys.modules[room]
    for _, file, is_package in iter_modules(package.__path__):
        if is_package:
            continue
        module = import_module(f'{room}.{file}')
        for name, value in vars(module).items():
            if name not in package.__all__ and _letters(name) == _letters(
                    file):
                setattr(package, name, value)
                package.__all__.append(name)


def _letters(name: str) -> str:
    return name.replace('_', '').lower()
