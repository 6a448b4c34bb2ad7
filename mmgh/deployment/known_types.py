"""Types that a config which is only data may name.

MMEngine builds what a dotted name stands for, be it a function of any
package; so whoever can write such a file could run anything.
"""
from __future__ import annotations

import inspect
from typing import Any

import mmengine.registry
import mmpretrain.registry
from torch import nn

import mmgh.registry
from mmgh.input_error import InputError
from mmgh.registered_types import types_in

_SCOPES = dict(
    mmengine=mmengine.registry, mmpretrain=mmpretrain.registry,
    mmgh=mmgh.registry)


def check_known_types(model: Any, pipelines: Any) -> None:
    """Refuse a config with other types than networks and transforms.

    They are known if they are registered, or layers of ``torch.nn``.

    Args:
        model (Any): Config of a network, with configs of its parts.
        pipelines (Any): Configs of transforms.

    Raises:
        InputError: If a type is none of these.
    """
    for name in types_in(model):
        kind = _registered(name, 'MODELS') or _layer(name)
        if not (inspect.isclass(kind) and issubclass(kind, nn.Module)):
            raise _unknown(name, 'a network, or of a part of it')
    for name in types_in(pipelines):
        if _registered(name, 'TRANSFORMS') is None:
            raise _unknown(name, 'a transform of images')


def _registered(name: str, registry: str) -> Any:
    scope, _, short = name.rpartition('.')
    for found, registries in _SCOPES.items():
        if scope not in ('', found):
            continue
        getattr(registries, registry).import_from_location()
        kind = getattr(registries, registry).module_dict.get(short)
        if kind is not None:
            return kind
    return None


def _layer(name: str) -> Any:
    scope, _, short = name.rpartition('.')
    return getattr(nn, short, None) if scope == 'torch.nn' else None


def _unknown(name: str, what: str) -> InputError:
    return InputError(
        f'Each type should be the registered name of {what}, but {name!r} is '
        'not. What is your own has to be imported by `custom_imports` of the '
        'config.')
