"""Rules for what a user gives.

A constructor states them, each for the arguments that it is about::

    COUNT.check(in_channels=in_channels, num_classes=num_classes)
    number(at_least=0).check(loss_weight=loss_weight)

What does not fit ends in one sentence: "`loss_weight` should be a finite
number of at least 0, but got nan."
"""
from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf, isfinite
from numbers import Integral, Real
from typing import Any, Callable, Mapping, Sequence

from mmgh.input_error import InputError, InputTypeError


@dataclass(frozen=True)
class Rule:
    """What an argument should be.

    Args:
        text (str): It in words, after "should be".
        has_type (Callable): Tells whether a value is of the right type.
        fits (Callable): Tells whether one of that type will do. Defaults to
            any.
        takes_none (bool): Whether None is another answer. Defaults to False.
    """

    text: str
    has_type: Callable[[Any], bool]
    fits: Callable[[Any], bool] = lambda value: True
    takes_none: bool = False

    def check(self, **arguments: Any) -> None:
        """Refuse arguments that break the rule.

        Args:
            **arguments (Any): What a user gave, by its name.

        Raises:
            InputTypeError: If one is of another type.
            InputError: If one has the type, but not such a value.
        """
        for name, value in arguments.items():
            if value is None and self.takes_none:
                continue
            if not self.has_type(value):
                raise InputTypeError(self._message(name, value), name)
            if not self.fits(value):
                raise InputError(self._message(name, value), name)

    def or_none(self) -> Rule:
        """Return the rule of what may be left out."""
        return replace(self, text=f'{self.text}, or None', takes_none=True)

    def _message(self, name: str, value: Any) -> str:
        return f'`{name}` should be {self.text}, but got {value!r}.'

def number(*,
           at_least: float | None = None,
           above: float | None = None,
           at_most: float | None = None,
           below: float | None = None,
           whole: bool = False,
           or_infinite: bool = False,
           since: str | None = None) -> Rule:
    """Make the rule of a number: finite, and no bool.

    Args:
        at_least (float, optional): The least one.
        above (float, optional): Instead, what all are above.
        at_most (float, optional): The largest one.
        below (float, optional): Instead, what all are below.
        whole (bool): Whether it is an integer, also by its type. Defaults to
            False.
        or_infinite (bool): Whether it may also be ``inf``, where that means
            "without a bound". Defaults to False.
        since (str, optional): Why it has these bounds. Defaults to None.
    """

    def fits(value: Real) -> bool:
        return ((_is_finite(value) or or_infinite and value == inf)
                and (at_least is None or value >= at_least)
                and (above is None or value > above)
                and (at_most is None or value <= at_most)
                and (below is None or value < below))

    bounds = _bounds(at_least, above, at_most, below)
    is_open = not (whole or or_infinite or bounds.startswith(' in'))
    text = (f"a{' finite' * is_open}{' whole' * whole} number{bounds}"
            f"{f', since {since}' if since else ''}")
    kind = Integral if whole else Real
    return Rule(
        text, lambda value: isinstance(value, kind) and not isinstance(
            value, bool), fits)


def one_of(*choices: Any) -> Rule:
    """Make the rule of one of a few values, such as modes."""
    *others, last = map(repr, choices)
    text = f"{', '.join(others)} or {last}" if others else last
    return Rule(text, lambda value: True, lambda value: value in choices)


def list_of(rule: Rule, length: int | None = None) -> Rule:
    """Make the rule of a list, not empty, whose items keep to a rule.

    Args:
        rule (Rule): Of each item.
        length (int, optional): Of the list. Defaults to None: any.
    """

    def has_type(value: Any) -> bool:
        return (isinstance(value, Sequence)
                and not isinstance(value, (str, bytes))
                and all(map(rule.has_type, value)))

    def fits(value: Sequence) -> bool:
        is_long_enough = len(value) == length if length else len(value) > 0
        return is_long_enough and all(map(rule.fits, value))

    size = f'{length} items' if length else 'at least one item'
    return Rule(f'a list of {size}, each {rule.text}', has_type, fits)


def dict_of(rule: Rule) -> Rule:
    """Make the rule of a dict, maybe empty, whose values keep to a rule."""

    def has_type(value: Any) -> bool:
        return isinstance(value, Mapping) and all(
            map(rule.has_type, value.values()))

    return Rule(f'a dict, each value {rule.text}', has_type,
                lambda value: all(map(rule.fits, value.values())))


def _is_finite(value: Real) -> bool:
    try:
        return isfinite(value)
    except OverflowError:  # an int that no float holds
        return False


def _bounds(at_least: float | None, above: float | None,
            at_most: float | None, below: float | None) -> str:
    if at_most is None and below is None:
        if above is not None:
            return f' above {above}'
        return '' if at_least is None else f' of at least {at_least}'
    left = f'[{at_least}' if above is None else f'({above}'
    right = f'{at_most}]' if below is None else f'{below})'
    return f' in {left}, {right}'


COUNT = number(at_least=1, whole=True)
"""Of channels, classes, iterations."""

DROPOUT = number(at_least=0, below=1)
"""A probability with which not all is dropped."""

FLAG = Rule('True or False', lambda value: isinstance(value, bool))

NAME = Rule('a name', lambda value: isinstance(value, str), len)

NAMES = list_of(NAME)

OPTIONS = Rule('a dict of options', lambda value: isinstance(value, Mapping))
