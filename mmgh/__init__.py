"""Gradient harmonization for unsupervised domain adaptation in OpenMMLab."""
from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

# The repairs come first: what follows may import a dependency they mend.
from .compat import (after_import, allow_resume_globals, check_minimum_version,
                     declare_torchvision_operators, read_checkpoints_as_data,
                     read_files_as_data, register_configs,
                     silence_hints_for_others, write_local_files_atomically)
from .version import __version__

check_minimum_version('torch', '2.1')
check_minimum_version('mmengine', '0.10.4')
silence_hints_for_others()
declare_torchvision_operators()
allow_resume_globals()
read_files_as_data()
write_local_files_atomically()
register_configs()


def _mend_runners() -> None:
    from .default_hooks import join_runners
    read_checkpoints_as_data()
    join_runners()


after_import('mmengine.runner', _mend_runners)

if TYPE_CHECKING:
    from . import harmonizers
    from .optim import harmonize

__all__ = ['__version__', 'harmonize', 'harmonizers']


def __getattr__(name: str) -> Any:
    """Import what a loop without configs needs, once it is asked for: it
    takes longer than all else here."""
    if name == 'harmonize':
        return import_module('mmgh.optim').harmonize
    if name == 'harmonizers':
        return import_module('mmgh.harmonizers')
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
