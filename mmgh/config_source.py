"""The text of a config in Python, and of its bases."""
from __future__ import annotations

import ast
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Iterator

# In these are configs of other packages, which no user writes.
_INSTALLED = {'.mim', 'site-packages', 'dist-packages'}


class ConfigSource:
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
        return own | set(filter(None, map(_name_in_base, nodes)))

    def gives_alike(self, name: str, other: ConfigSource) -> bool:
        """Tell whether a name is the same here as in another file, where it
        is plain values."""
        mine, theirs = self._given(name), other._given(name)
        return bool(mine) and mine[-1:] == theirs[-1:]

    def _given(self, name: str) -> list[str]:
        """Return what a name at the top is made of, each time that it is
        given; with variables in it that would not tell what it is."""
        values = [
            node.value for node in self._tree.body
            if isinstance(node, ast.Assign) and any(
                getattr(target, 'id', None) == name
                for target in node.targets)
        ]
        return [
            ast.dump(value) for value in values
            if all(getattr(part, 'id', 'dict') == 'dict'
                   for part in ast.walk(value))
        ]

    def users_of(self, name: str) -> list[str]:
        """Return the names that it gives to what has a variable in it, of its
        own or of a base."""
        return [
            target.id for node in self._tree.body
            if isinstance(node, ast.Assign) and any(
                name in (getattr(part, 'id', None), _name_in_base(part))
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
    def bases(self) -> list[ConfigSource]:
        """The files that it is based on, as far as they can be found."""
        paths = [*self._named_bases(), *self._imported_bases()]
        return [ConfigSource(path) for path in paths
                if path.suffix == '.py' and path.is_file()]

    def with_bases(self) -> Iterator[ConfigSource]:
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


def _name_in_base(node: ast.AST) -> str | None:
    """Return what ``_base_.name`` or ``{{_base_.name}}`` names."""
    if (isinstance(node, ast.Attribute)
            and getattr(node.value, 'id', None) == '_base_'):
        return node.attr
    return None
