"""The types of optim wrappers that --amp and --harmonizer swap."""
from __future__ import annotations

from typing import Callable

from mmengine.config import ConfigDict
from mmengine.registry import Registry

from mmgh.input_error import InputError
from mmgh.registry import OPTIM_WRAPPERS

HARMONIZING = {
    'AmpOptimWrapper': 'mmgh.GHAmpOptimWrapper',
    'OptimWrapper': 'mmgh.GHOptimWrapper',
}
STOCK = {ours: stock for stock, ours in HARMONIZING.items()}
AMP = {
    'OptimWrapper': 'AmpOptimWrapper',
    'mmgh.GHOptimWrapper': 'mmgh.GHAmpOptimWrapper',
}
KNOWN = (*HARMONIZING, *STOCK)


def swap_wrapper_type(wrapper: ConfigDict, types: dict[str, str]) -> None:
    """Replace the type of an optim wrapper, if it is one of those to replace.

    Never one that we do not know: its behaviour would silently be lost.

    Args:
        wrapper: A config, whose type may be written as MMEngine allows: a
            name with or without a scope, or the class itself.
        types: What takes the place of what, by names.

    Raises:
        InputError: For a type that we do not know. What is wrong stands
            before the message.
    """
    found = wrapper.get('type', 'OptimWrapper')
    kind = find_type(OPTIM_WRAPPERS, found)
    for name in KNOWN:
        if kind is OPTIM_WRAPPERS.get(name):
            wrapper.type = types.get(name, found)
            return
    raise InputError(
        f'works with `optim_wrapper.type` {" or ".join(KNOWN)}, but '
        f"the config has {getattr(found, '__name__', found)}.")


def find_type(registry: Registry, kind: str | Callable) -> Callable | None:
    """Return what a config's ``type`` stands for; None for nothing."""
    if isinstance(kind, str):
        try:
            kind = registry.get(kind)
        except RuntimeError:  # for some names that are not there
            return None
    return kind if callable(kind) else None
