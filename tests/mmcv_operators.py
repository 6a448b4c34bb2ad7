"""Lets models of mmseg and mmdet, where these are there, be imported beside
mmcv-lite, which lacks the operators that mmcv compiles.

What is tested calls none of them. To be imported before mmcv.
"""
from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
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


def _stand_in() -> None:
    mmcv = find_spec('mmcv')
    if mmcv is None or not any(map(find_spec, ('mmseg', 'mmdet'))):
        return
    if not any(Path(mmcv.origin).parent.glob('_ext*')):
        module = sys.modules['mmcv._ext'] = _NoOperators('mmcv._ext')
        # Without a loader, MMEngine knows that there are none.
        module.__spec__ = ModuleSpec(module.__name__, loader=None)


_stand_in()
