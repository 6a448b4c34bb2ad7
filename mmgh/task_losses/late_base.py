from __future__ import annotations

from functools import cache
from types import new_class
from typing import Any

from .task_loss_mixin import TaskLossMixin


class LateBase(TaskLossMixin):
    """Mark losses of a model whose class is known when it is built: that of a
    config, or of a package that nothing should import before.

    Instances are of :func:`with_base`, a class without a name to import it
    by. They can be copied and pickled all the same.
    """

    def __reduce_ex__(self, protocol: int) -> tuple:
        """Name the two classes that its class is made of."""
        # Python has no `__getstate__` of all objects before 3.11.
        state = super().__reduce_ex__(2)[2]
        return _without_init, type(self).made_of, state


@cache
def with_base(first: type[LateBase], base: type) -> type:
    """Return the class that is derived from both, the same for the same two.

    Args:
        first (type[LateBase]): Its methods count.
        base (type): A class of models, for which instances pass as well.
    """

    def fill(namespace: dict) -> None:
        namespace.update(
            made_of=(first, base),
            __module__=first.__module__,
            __doc__=first.__doc__)

    name = f'{first.__name__}{base.__name__}'
    return new_class(name, (first, base), exec_body=fill)


def _without_init(first: type[LateBase], base: type) -> Any:
    return object.__new__(with_base(first, base))
