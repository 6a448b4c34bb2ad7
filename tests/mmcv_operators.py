"""mmseg and mmdet beside an mmcv without compiled operators."""
from __future__ import annotations

import sys
from importlib.util import find_spec
from types import ModuleType
from typing import Callable


class _NoOperators(ModuleType):
    """Has every name, so that imports go through, and runs none."""

    def __getattr__(self, name: str) -> Callable:
        if name.startswith('__'):
            raise AttributeError(name)

        def operator(*args, **kwargs):
            raise NotImplementedError(f'mmcv is here without `{name}`.')

        return operator


def import_without_operators() -> None:
    """Let their models be imported beside mmcv-lite, which lacks the operators
    that mmcv compiles. What is tested here calls none of them."""
    if 'mmcv._ext' not in sys.modules and find_spec('mmcv._ext') is None:
        sys.modules['mmcv._ext'] = _NoOperators('mmcv._ext')
