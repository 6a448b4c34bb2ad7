"""Stand-ins for packages that a tool needs for its work, not for its help."""
from __future__ import annotations

import sys
from argparse import Action
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from unittest.mock import MagicMock

# What takes long to import, or imports such.
PACKAGES = ('jinja2', 'matplotlib', 'mmcv', 'mmengine', 'mmgh', 'mmpretrain',
            'numpy', 'PIL', 'rich', 'scipy', 'sklearn', 'torch',
            'torchvision')
# What the standard library wants classes for.
CLASSES = dict(Error=Exception, Action=Action)


def use_stand_ins() -> None:
    """Let imports of these packages give anything that is asked of them, for
    the rest of this process.

    So ``--help`` takes a tenth of a second, not the four that torch takes.
    """
    for name in [name for name in sys.modules if _is_replaced(name)]:
        del sys.modules[name]
    sys.meta_path.insert(0, _Finder())


class _StandIn(ModuleType):

    __path__: list[str] = []

    def __getattr__(self, name: str):
        if name.startswith('__'):
            raise AttributeError(name)
        for ending, base in CLASSES.items():
            if name.endswith(ending):
                return type(name, (base, ), {})
        return MagicMock()


class _Finder(MetaPathFinder, Loader):

    def find_spec(self, name: str, path=None, target=None):
        if _is_replaced(name):
            return ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _StandIn(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Leave it as it is."""


def _is_replaced(name: str) -> bool:
    return name.split('.')[0] in PACKAGES
