"""The text of a config, read as data."""
from __future__ import annotations

import ast
from typing import Any

_TYPES = dict(dict=dict, list=list, tuple=tuple)
_NUMBERS = ('inf', 'nan')


def read_assignments(text: str) -> dict[str, Any]:
    """Read what MMEngine writes as the text of a config, without running it.

    Args:
        text (str): Lines like ``name = value``. A value is a literal of
            Python, a call of ``dict``, ``list`` or ``tuple`` with such
            values, or a number as ``inf``.

    Raises:
        ValueError: If it has anything else.
    """
    try:
        nodes = ast.parse(text).body
        return dict(map(_assignment, nodes))
    except (SyntaxError, TypeError, RecursionError, MemoryError) as error:
        raise ValueError(' '.join(f'{error}'.split())) from error


def _assignment(node: ast.stmt) -> tuple[str, Any]:
    if not (isinstance(node, ast.Assign) and len(node.targets) == 1
            and isinstance(node.targets[0], ast.Name)):
        raise _refused(node)
    return node.targets[0].id, _value(node.value)


def _value(node: ast.expr) -> Any:
    if isinstance(node, ast.Dict) and None not in node.keys:
        return dict(zip(map(_value, node.keys), map(_value, node.values)))
    if isinstance(node, ast.List):
        return list(map(_value, node.elts))
    if isinstance(node, ast.Tuple):
        return tuple(map(_value, node.elts))
    if isinstance(node, ast.Call):
        return _call(node)
    if isinstance(node, ast.Name) and node.id in _NUMBERS:
        return float(node.id)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand)
    try:
        return ast.literal_eval(node)
    except ValueError:
        raise _refused(node) from None


def _call(node: ast.Call) -> Any:
    kind = getattr(node.func, 'id', None)
    if kind not in _TYPES or None in [word.arg for word in node.keywords]:
        raise _refused(node)
    return _TYPES[kind](*map(_value, node.args), **{
        word.arg: _value(word.value)
        for word in node.keywords
    })


def _refused(node: ast.AST) -> ValueError:
    text = ast.unparse(node)
    return ValueError(f'line {node.lineno} is `{text[:80]}`')
