"""Types that a config of a stranger may have built.

MMEngine builds what a dotted name stands for, be it a function of any package
that is installed; so whoever writes a checkpoint could run anything.
"""
from __future__ import annotations

import sys
from importlib import import_module
from typing import Any, Iterator

from mmengine.registry import Registry
from torch import nn

from mmgh.input_error import InputError

_HOMES = ('mmengine.registry', 'mmpretrain.registry', 'mmgh.registry')


def check_registered(config: Any, path: Any) -> None:
    """Refuse a dotted name that stands for what is not registered.

    A layer of torch is as good as a registered type. Names without a dot are
    only looked up in registries.

    Args:
        config (Any): With configs of whatever is built.
        path (Any): Of its file, in the message.

    Raises:
        InputError: If there is such a name.
    """
    for name in types_in(config):
        if '.' in name and not (_is_registered(name) or _is_class(name)):
            raise InputError(
                f'{path} should only have registered types built, but its '
                f'config has {name!r}. What is your own has to be imported by '
                '`custom_imports` of the config.')


def missing_types(config: Any) -> list[str]:
    """Return the types in a config that are neither registered nor layers of
    torch.

    Args:
        config (Any): With configs of whatever is built.
    """
    return [name for name in types_in(config)
            if find_registered(name) is None and not _is_class(name)]


def find_registered(name: str) -> Any:
    """Return what is registered by a name in any registry; None for nothing.

    Args:
        name (str): With or without the scope. Without, MMEngine's own and
            those of mmpretrain count before ours.
    """
    scope, _, short = name.rpartition('.')
    for registry in _registries():
        if scope in ('', registry.scope) and short in registry.module_dict:
            return registry.module_dict[short]
    return None


def registered_names(registry_name: str) -> list[str]:
    """Return the names in all registries of one kind, such as ``model``, as a
    config of mmpretrain has them."""
    return [
        name if registry.scope in ('mmengine', 'mmpretrain') else
        f'{registry.scope}.{name}' for registry in _registries()
        if registry.name == registry_name for name in registry.module_dict
    ]


def types_in(node: Any) -> Iterator[str]:
    """Yield what a config names as ``type``, at any depth."""
    if isinstance(node, dict):
        if 'type' in node:
            yield str(node['type'])
        node = list(node.values())
    if isinstance(node, (list, tuple)):
        for item in node:
            yield from types_in(item)


def _is_registered(name: str) -> bool:
    scope, _, short = name.rpartition('.')
    return any(registry.scope == scope and short in registry.module_dict
               for registry in _registries())


def _is_class(name: str) -> bool:
    """Tell whether it is a class by its full name, as configs that import
    their types have it."""
    module, _, short = name.rpartition('.')
    kind = getattr(sys.modules.get(module), short, None)
    return isinstance(kind, type) and (
        issubclass(kind, nn.Module)
        or any(kind in registry.module_dict.values()
               for registry in _registries()))


def _registries() -> Iterator[Registry]:
    for home in _HOMES:
        for registry in vars(import_module(home)).values():
            if isinstance(registry, Registry):
                yield from _with_children(registry)


def _with_children(registry: Registry) -> Iterator[Registry]:
    registry.import_from_location()
    yield registry
    for child in registry.children.values():
        yield from _with_children(child)
