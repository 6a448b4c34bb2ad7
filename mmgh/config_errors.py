"""What an error of a constructor says of the config that it was built from.

MMEngine builds what a config says in many places, and a slip in it ends in the
error of whichever constructor got it, without a word of where that stands.
"""
from __future__ import annotations

import inspect
import linecache
import re
import traceback
from difflib import get_close_matches
from typing import Callable, Mapping

from torch.utils.data import DataLoader

from mmgh.input_error import InputError
from mmgh.nested import nested_dicts
from mmgh.registered_types import find_registered, registered_names

_UNEXPECTED = re.compile(
    r"(\w+\.)?(\w+)\(\) got an unexpected keyword argument '([^']+)'")
_MISSING = re.compile(r'(\w+)\.__init__\(\) missing \d+ required '
                      r"[\w-]+ arguments?: (.*'\w+')")
_UNREGISTERED = re.compile(r'^(\S+) is not in the \S+::(.+) registry')
_NO_RULE = re.compile(r'Cannot infer the rule for (?:key )?(.+), thus')
# Built of a config, but by no registry.
_BUILT_DIRECTLY = dict(DataLoader=DataLoader)


def error_of_config(error: Exception, cfg: Mapping) -> InputError | None:
    """Find the setting that an error comes of.

    Args:
        error (Exception): Of building something.
        cfg (Mapping): The whole config, as it was before.

    Returns:
        InputError | None: Names the setting, the class and what could be
        meant. None if no setting of the config is such.
    """
    text = _text_of(error)
    find = {TypeError: (_unexpected, _missing),
            KeyError: (_unregistered, _without_type),
            ValueError: (_without_rule, )}
    for explain in find.get(type(error), ()):
        message = explain(text, dict(cfg.items()))
        if message:
            return InputError(message)
    return None


def _text_of(error: Exception) -> str:
    text = str(error.args[0]) if error.args else ''
    frames = list(traceback.walk_tb(error.__traceback__))
    if not text.startswith('__init__()') or not frames:
        return text
    # Python 3.9 names no class: it is what the line of the error calls.
    frame, number = frames[-1]
    line = linecache.getline(frame.f_code.co_filename, number)
    called = (frame.f_locals.get(name, frame.f_globals.get(name))
              for name in re.findall(r'(\w+)\(', line))
    owners = [kind.__name__ for kind in called if isinstance(kind, type)]
    return f'{owners[0]}.{text}' if owners else text


def _unexpected(text: str, cfg: Mapping) -> str | None:
    match = _UNEXPECTED.search(text)
    if not match:
        return None
    owner, function, keyword = match.groups()
    owner = owner[:-1] if owner else function.replace('__init__', '')
    found = [(path, node) for path, node in nested_dicts(cfg)
             if keyword in node]
    for path, node in found:
        kind = _kind_of(node, owner)
        known = [] if kind is None else _arguments(kind)
        if kind is not None and keyword not in known:
            return (f'`{path}` should have arguments of {kind.__name__}, but '
                    f'has `{keyword}`.{_hint(keyword, known)}')
    is_part = function == '__init__' and find_registered(owner) is None
    for path, node in found:
        if is_part and path and 'type' not in node:  # built by its holder
            return (f'`{path}` should have arguments of {owner}, but has '
                    f'`{keyword}`.')
    return None


def _missing(text: str, cfg: Mapping) -> str | None:
    match = _MISSING.search(text)
    if not match:
        return None
    owner, names = match.groups()
    missing = re.findall(r"'(\w+)'", names)
    for path, node in nested_dicts(cfg):
        if 'type' in node and not set(missing) & set(node):
            kind = _kind_of(node, owner)
            if kind is not None:
                needed = ', '.join(f'`{name}`' for name in missing)
                return (f'`{path}` should have what {kind.__name__} needs, '
                        f'but lacks {needed}.')
    return None


def _unregistered(text: str, cfg: Mapping) -> str | None:
    match = _UNREGISTERED.search(text)
    if not match:
        return None
    name, registry = match.groups()
    for path, node in nested_dicts(cfg):
        if node.get('type') == name:
            known = registered_names(registry)
            if name in known:  # but not where MMEngine looks
                return (f'`default_scope` should be the package that has '
                        f'{name!r} of `{path}.type`, but is '
                        f"{cfg.get('default_scope')!r}.")
            return (f'`{path}.type` should be the name of what is registered, '
                    f'but {name!r} is not.{_hint(name, known)}')
    return None


def _without_type(text: str, cfg: Mapping) -> str | None:
    if 'must contain the key "type"' not in text:
        return None
    for path, node in nested_dicts(cfg):
        if 'type' not in node and f'but got {node}\n' in text:
            return f'`{path}` should have a `type`, but is {node}.'
    return None


def _without_rule(text: str, cfg: Mapping) -> str | None:
    match = _NO_RULE.search(text)
    if not match:
        return None
    name = match.group(1)
    for path, node in nested_dicts(cfg):
        for key in ('save_best', 'monitor'):
            value = node.get(key)
            if name in (value if isinstance(value, list) else [value]):
                return (f"`{path}.rule` should be 'greater' or 'less' with "
                        f'`{key}={value!r}`, since the name {name!r} does '
                        'not tell which value is the better one.')
    return None


def _hint(name: str, known: list[str]) -> str:
    meant = [other for other in known if other.split('.')[-1] == name] or (
        get_close_matches(name, known, 1))
    if meant:
        return f' Do you mean `{meant[0]}`?'
    return f' They are {sorted(known)}.' if len(known) < 25 else ''


def _kind_of(node: Mapping, owner: str) -> Callable | None:
    """Return what builds a dict, if an error of the owner may come of it.

    Args:
        node: Some have no type, as ``train_cfg``: that is the owner then.
        owner: Name of a class, of the one that is built or a base; of a
            function; empty for any.
    """
    kind = node.get('type', owner)
    if isinstance(kind, str):
        kind = _BUILT_DIRECTLY.get(kind) or find_registered(kind)
    if not callable(kind):
        return None
    names = {base.__name__ for base in getattr(kind, '__mro__', (kind, ))}
    return kind if not owner or owner in names else None


def _arguments(kind: Callable) -> list[str]:
    """Return the names that a class takes, with those that it hands on to
    its bases."""
    names: dict[str, None] = {}
    for owner in getattr(kind, '__mro__', (kind, )):
        function = vars(owner).get('__init__') if isinstance(
            owner, type) else owner
        if function is None:
            continue
        parameters = inspect.signature(function).parameters.values()
        names.update(
            dict.fromkeys(p.name for p in parameters
                          if p.kind in (p.POSITIONAL_OR_KEYWORD,
                                        p.KEYWORD_ONLY)))
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    names.pop('self', None)
    return list(names)
