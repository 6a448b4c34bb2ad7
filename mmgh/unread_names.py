"""Names that a file of a config gives, and that nothing looks at.

A config is Python: a file may have variables, and so MMEngine cannot tell a
setting that is none from a variable. The text can: a variable is used.
"""
from __future__ import annotations

from pathlib import Path
from typing import Container, Iterator

from mmgh.config_source import ConfigSource


def unread_names(source: ConfigSource,
                 known: Container[str],
                 used: frozenset[str] = frozenset()
                 ) -> Iterator[tuple[Path, str, bool]]:
    """Yield names that a user gives in a config, or a base of it, where they
    are neither known nor used, and say more than the base does.

    Args:
        source (ConfigSource): The config.
        known (Container[str]): Names of settings.
        used (frozenset[str]): Names that files use which are based on it.

    Returns:
        Iterator[tuple[Path, str, bool]]: The file and the name; and whether a
        base uses a variable of this name, which stays as it is there.
    """
    if not (source.is_installed or source.is_written):
        below = [each for base in source.bases for each in base.with_bases()]
        variables = (
            set().union(*(base.assigned for base in below))
            & set().union(*(base.read for base in below)))
        for name in sorted(source.assigned - source.read - used):
            if (name not in known and not name.startswith('_')
                    and not any(source.gives_alike(name, base)
                                for base in below)):
                yield source.path, name, name in variables
    for base in source.bases:
        yield from unread_names(base, known, used | source.read)
