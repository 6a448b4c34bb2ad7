"""Names of classes, which give the labels of two data sets one meaning."""
from __future__ import annotations

from typing import Sequence


def check_same_classes(first: Sequence[str] | None,
                       second: Sequence[str] | None,
                       sides: tuple[str, str]) -> None:
    """Refuse two data sets whose labels mean different classes.

    Args:
        first (Sequence[str], optional): Names in the order of the labels. An
            empty one is that of a class without images, and equals all
            others. None, for a data set without names, equals anything.
        second (Sequence[str], optional): Those of the other data set.
        sides (tuple[str, str]): What to call the two in the message.

    Raises:
        ValueError: If names, their number or their order differ.
    """
    if not first or not second:
        return
    differing = [(label, a, b) for label, (a, b) in enumerate(
        zip(first, second)) if '' not in (a, b) and a != b]
    if not differing and len(first) == len(second):
        return
    left, right = sides
    only_first = [name for name in first if name not in second]
    only_second = [name for name in second if name not in first]
    if only_first or only_second or not differing:
        raise ValueError(
            f'{left.capitalize()} and {right} should have the same classes, '
            f'but {left} alone has {only_first}, and {right} alone has '
            f'{only_second} ({len(first)} and {len(second)} classes).')
    label, a, b = differing[0]
    raise ValueError(
        f'{left.capitalize()} and {right} should list their classes in the '
        f'same order, but class {label} is {a!r} in {left} and {b!r} in '
        f'{right}.')
