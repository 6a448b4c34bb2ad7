"""Names that a file of a config gives, and that nothing looks at.

A config is Python: a file may have variables, and so MMEngine cannot tell a
setting that is none from a variable. The text can: a variable is used.
"""
from __future__ import annotations

import ast
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Container, Iterator

# In these are configs of other packages, which no user writes.
_INSTALLED = {'.mim', 'site-packages', 'dist-packages'}


class Source:
    """The text of a config in Python.

    Args:
        path (Path): The file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._tree = ast.parse(path.read_text(encoding='utf-8'))

    @cached_property
    def assigned(self) -> set[str]:
        """Names that it gives at the top."""
        targets = [
            target for node in self._tree.body
            if isinstance(node, ast.Assign) for target in node.targets
        ]
        return {
            target.id
            for target in targets if isinstance(target, ast.Name)
        }

    @cached_property
    def read(self) -> set[str]:
        """Names that it uses, of its own or, as ``_base_.name``, of a
        base."""
        nodes = list(ast.walk(self._tree))
        own = {
            node.id
            for node in nodes
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
        }
        return own | {
            node.attr
            for node in nodes if isinstance(node, ast.Attribute)
            and getattr(node.value, 'id', None) == '_base_'
        }

    def users_of(self, name: str) -> list[str]:
        """Return the names that it gives to what has a variable in it."""
        return [
            target.id for node in self._tree.body
            if isinstance(node, ast.Assign) and any(
                getattr(part, 'id', None) == name
                for part in ast.walk(node.value)) for target in node.targets
            if isinstance(target, ast.Name)
        ]

    @property
    def is_written(self) -> bool:
        """Whether MMEngine wrote it for a run: values alone, also those of
        variables."""
        return 'launcher' in self.assigned and '_base_' not in self.assigned

    @property
    def is_installed(self) -> bool:
        """Whether it came with a package."""
        return bool(_INSTALLED & set(self.path.parts))

    @cached_property
    def bases(self) -> list[Source]:
        """The files that it is based on, as far as they can be found."""
        paths = [*self._named_bases(), *self._imported_bases()]
        return [Source(path) for path in paths
                if path.suffix == '.py' and path.is_file()]

    def with_bases(self) -> Iterator[Source]:
        """Yield it, its bases, and theirs."""
        yield self
        for base in self.bases:
            yield from base.with_bases()

    def _named_bases(self) -> Iterator[Path]:
        for node in self._tree.body:
            if isinstance(node, ast.Assign) and any(
                    getattr(target, 'id', None) == '_base_'
                    for target in node.targets):
                try:
                    named = ast.literal_eval(node.value)
                except ValueError:  # MMEngine refuses it, or knows better
                    continue
                for name in [named] if isinstance(named, str) else named:
                    yield self._path_of(name)

    def _path_of(self, name: str) -> Path:
        package, _, file = name.rpartition('::')
        if not package:
            return self.path.parent / file
        spec = find_spec(package)
        home = Path(spec.origin).parent if spec and spec.origin else Path()
        return home / '.mim/configs' / file

    def _imported_bases(self) -> Iterator[Path]:
        """Yield what ``with read_base(): from .x import *`` names."""
        for node in self._tree.body:
            for line in node.body if isinstance(node, ast.With) else ():
                if isinstance(line, ast.ImportFrom) and line.level:
                    folder = self.path.parents[line.level - 1]
                    yield folder.joinpath(
                        *(line.module or '').split('.')).with_suffix('.py')


def unread_names(source: Source,
                 known: Container[str],
                 used: frozenset[str] = frozenset()
                 ) -> Iterator[tuple[Path, str, bool]]:
    """Yield names that a user gives in a config, or a base of it, where they
    are neither known nor used.

    Args:
        source (Source): The config.
        known (Container[str]): Names of settings.
        used (frozenset[str]): Names that files use which are based on it.

    Returns:
        Iterator[tuple[Path, str, bool]]: The file and the name; and whether a
        base uses a variable of this name, which stays as it is there.
    """
    if not (source.is_installed or source.is_written):
        below = [each for base in source.bases for each in base.with_bases()]
        for name in sorted(source.assigned - source.read - used):
            if name not in known and not name.startswith('_'):
                yield source.path, name, any(
                    name in base.assigned & base.read for base in below)
    for base in source.bases:
        yield from unread_names(base, known, used | source.read)
