"""The classes that the sources of this package register."""
from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path
from typing import Iterator, NamedTuple

PACKAGE = Path(__file__).parents[1] / 'mmgh'


class Registered(NamedTuple):
    """A class below ``@<registry>.register_module()``."""

    registry: str
    name: str
    file: str

    def load(self) -> type:
        module = '.'.join(Path(self.file).with_suffix('').parts)
        return getattr(import_module(module), self.name)


def _find() -> Iterator[Registered]:
    for path in sorted(PACKAGE.rglob('*.py')):
        for node in ast.walk(ast.parse(path.read_text())):
            for decorator in getattr(node, 'decorator_list', []):
                registry, _, rest = ast.unparse(decorator).partition('.')
                if rest.startswith('register_module('):
                    file = path.relative_to(PACKAGE.parent).as_posix()
                    yield Registered(registry, node.name, file)


REGISTERED = list(_find())


def registered(registry: str, base: type = object) -> list[type]:
    """The classes of one registry, such as ``'MODELS'``, with this base."""
    types = [item.load() for item in REGISTERED if item.registry == registry]
    return [kind for kind in types if issubclass(kind, base)]
