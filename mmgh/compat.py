"""The few repairs that released dependencies need.

Each function names the combination that needs it, and does nothing
elsewhere.
"""
from __future__ import annotations

import functools
import importlib
import logging
import pickle
import sys
import warnings
from collections import Counter
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Callable

# Only what keeps a library of the right schemas alive; see below.
_DECLARED_OPERATORS = []
_ONE_CYCLE = 'mmengine.optim.scheduler.param_scheduler.OneCycleParamScheduler'
# What MMEngine and mmpretrain log of their own insides: the file that does
# it, and how it begins. The first two are of each training that saves.
_HINTS = (
    ('logger', '"FileClient" will be deprecated in future'),
    ('logger', '"HardDiskBackend" is the alias of "LocalBackend"'),
    ('timm_backbone', 'This backbone does not have feature_info'),
    ('timm_backbone', 'backbone feature_info['),
    ('timm_backbone', 'backbone out_'),
)
# Functions of numbers.
_CURVES = ('_annealing_cos', '_annealing_linear')


def check_minimum_version(module_name: str, minimum: str) -> None:
    """Raise a clear error if a required module is missing or too old.

    The version is read from the module, because forks are distributed under
    other names. Not an ``ImportError``: MMEngine's registry swallows that
    one and reports only that a type is not registered.

    Raises:
        RuntimeError: If the module is missing or older than ``minimum``.
    """
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise RuntimeError(
            f'mmgh needs {module_name}>={minimum}, but importing it failed: '
            f'{error}. The extra `openmmlab` of mmgh installs it.'
        ) from error
    if not is_at_least(module.__version__, minimum):
        raise RuntimeError(f'mmgh needs {module_name}>={minimum}, but found '
                           f'{module.__version__}.')


def is_at_least(version: str, minimum: str) -> bool:
    """Compare versions by their leading numbers."""
    return _version(version) >= _version(minimum)


def _version(text: str) -> tuple[int, ...]:
    """Return the leading numbers: '2.13.0+cpu' -> (2, 13, 0)."""
    numbers = []
    for part in text.split('+')[0].split('.'):
        if not part.isdigit():
            break
        numbers.append(int(part))
    return tuple(numbers)


def declare_torchvision_operators() -> None:
    """Let a CUDA build of torchvision be imported beside a CPU-only torch.

    Its compiled operators cannot be loaded then, and the import stops at
    ``operator torchvision::nms does not exist``, although mmpretrain uses
    none of them. Declaring the schemas is enough. Needed by every
    torchvision up to (at least) 0.28.

    It takes effect when torchvision is imported. To import it here would
    take more than a second from those who do not use it.
    """
    sys.meta_path.insert(0, _Finder('torchvision', _execute_torchvision))


def after_import(name: str, repair: Callable[[], None]) -> None:
    """Repair a module once it is imported, which may be now or never.

    MMEngine's runners take as long to import as torch, and a loop without
    configs does without them.
    """
    if name in sys.modules:
        repair()
        return

    def execute_and_repair(execute: Callable[[ModuleType], None],
                           module: ModuleType) -> None:
        execute(module)
        repair()

    sys.meta_path.insert(0, _Finder(name, execute_and_repair))


class _Finder(MetaPathFinder):
    """Has one module executed by a function of ours, which gets the usual one
    and the module."""

    def __init__(self, name: str, execute: Callable) -> None:
        self._name = name
        self._execute = execute

    def find_spec(self, name, path=None, target=None) -> ModuleSpec | None:
        if name != self._name:
            return None
        # Those behind it alone: an import of mmgh again puts another one of
        # its kind before it.
        for finder in sys.meta_path[sys.meta_path.index(self) + 1:]:
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                spec.loader.exec_module = functools.partial(
                    self._execute, spec.loader.exec_module)
                return spec
        return None


def _execute_torchvision(execute: Callable[[ModuleType], None],
                         module: ModuleType) -> None:
    try:
        execute(module)
    except RuntimeError as error:
        if 'torchvision::nms does not exist' not in str(error):
            raise
        for name in [n for n in sys.modules if n.startswith('torchvision.')]:
            del sys.modules[name]
        import torch
        library = torch.library.Library('torchvision', 'DEF')
        for name in ('nms', 'qnms'):
            library.define(f'{name}(Tensor dets, Tensor scores, '
                           'float iou_threshold) -> Tensor')
        _DECLARED_OPERATORS.append(library)
        execute(module)


def silence_hints_for_others() -> None:
    """Leave out what others say to everybody, and nobody here can act on.

    By warnings: mmcv-lite of an operator that only detectors need, older
    mmpretrain beside a newer Python of the spelling of patterns in its own
    files, MMEngine of a logger that was there already. In the log: see
    ``_HINTS``; and the Hugging Face Hub of downloads without an account.
    """
    from mmengine.logging import MMLogger
    warnings.filterwarnings(
        'ignore', 'Fail to import ``MultiScaleDeformableAttention``')
    warnings.filterwarnings(
        'ignore', 'invalid escape sequence', SyntaxWarning, '.*mmpretrain.*')
    warnings.filterwarnings(
        'ignore', '.*the method `get_instance` should not accept any other',
        UserWarning, 'mmengine.utils.manager')
    MMLogger.filter = _without_hints(MMLogger.filter)
    logging.getLogger('huggingface_hub.utils._http').addFilter(
        lambda record: 'unauthenticated requests' not in record.getMessage())


def _without_hints(own: Callable) -> Callable:
    """Let a logger leave out hints. Loggers are made one a training, and
    there is no public place for what all of them leave out."""

    @functools.wraps(own)
    def filter_hints(self, record):
        told = record.getMessage()
        if any(record.module == module and told.startswith(beginning)
               for module, beginning in _HINTS):
            return False
        return own(self, record)

    return filter_hints


def read_files_as_data() -> None:
    """Have MMEngine read pickles, such as lists of images, without running
    anything that they name; and torch, whose defaults up to 2.5 ask for it."""
    import torch
    from mmengine.fileio.handlers import register_handler

    from mmgh import untrusted_files
    register_handler(['pkl', 'pickle'])(untrusted_files.DataPickleHandler)
    if not has_safe_globals():
        torch.load = untrusted_files.as_data_by_default(torch.load)


def read_checkpoints_as_data() -> None:
    """Have MMEngine's runners read checkpoints, from the disk and from the
    net, without running anything that they name.

    Forks of MMEngine and torch's own downloads ask for all of it.
    """
    from mmengine.runner import CheckpointLoader, checkpoint

    from mmgh import untrusted_files
    CheckpointLoader.register_scheme(
        '', untrusted_files.load_from_local, force=True)
    checkpoint.load_url = untrusted_files.downloading_data(
        checkpoint.load_url)


def write_local_files_atomically() -> None:
    """Have all that MMEngine writes by its backends, such as checkpoints,
    written as a whole or not at all.

    MMEngine up to (at least) 0.10.7 writes into the file that is there.
    """
    from mmengine.fileio import register_backend

    from mmgh.atomic_files import AtomicLocalBackend
    register_backend('local', AtomicLocalBackend, force=True, prefixes='')


def has_safe_globals() -> bool:
    """Tell whether ``torch.load(weights_only=True)``, the default then, can be
    told what else it may read."""
    import torch
    return is_at_least(torch.__version__, '2.6')


def register_configs() -> None:
    """Let ``_base_ = 'mmgh::dann/...'`` be like a file beside the config.

    MMEngine up to (at least) 0.10.7 knows packages with configs by a table of
    distributions; where an editable one has its files, it does not. So the
    name in the table is that of a module of the package that was imported. And
    it would look for what such a base names in mmgh only, be it types,
    which are meant to be of the default scope, or functions.
    """
    from mmengine.config import Config
    from mmengine.config.utils import MODULE2PACKAGE
    MODULE2PACKAGE['mmgh'] = 'mmgh.version'
    path_and_scope = Config._get_cfg_path

    def without_our_scope(*args, **kwargs) -> tuple[str, str | None]:
        path, scope = path_and_scope(*args, **kwargs)
        return path, None if scope == 'mmgh' else scope

    Config._get_cfg_path = staticmethod(without_our_scope)


def allow_resume_globals() -> None:
    """Let ``torch.load(weights_only=True)`` read MMEngine's checkpoints.

    That became the default in torch 2.6.
    """
    import torch
    if has_safe_globals():
        torch.serialization.add_safe_globals([
            (value, name) for name, value in names_of_checkpoints().items()
        ])


@functools.cache
def names_of_checkpoints() -> dict[str, Any]:
    """Return what a checkpoint may name besides tensors: numbers, text and
    times of numpy, one or an array of them; and what MMEngine up to (at
    least) 0.10.7 puts into each: its log buffers, which are arrays and a table
    of the buffer's own methods, and what some of its schedules know."""
    import numpy as np
    from mmengine.logging import HistoryBuffer

    # numpy renamed this package in 2.0; a checkpoint may have either name.
    core = 'numpy._core' if is_at_least(np.__version__, '2') else 'numpy.core'
    functions = {
        name: getattr(importlib.import_module(f'{core}.{module}'), function)
        for module, function in (('multiarray', '_reconstruct'),
                                 ('multiarray', 'scalar'),
                                 ('numeric', '_frombuffer'))
        for name in (f'numpy.core.{module}.{function}',
                     f'numpy._core.{module}.{function}')
    }
    # Without objects and what has fields, which might be objects.
    plain = ''.join((np.typecodes['AllInteger'], np.typecodes['AllFloat'],
                     '?SUMm'))
    types = [HistoryBuffer, Counter, np.ndarray, np.dtype,
             *(type(np.dtype(code)) for code in plain)]
    named = {f'{t.__module__}.{t.__qualname__}': t for t in types}
    return {
        **functions,
        **named,
        'builtins.bytes': bytes,  # of an array or a text that is empty
        _ONE_CYCLE: _OneCycle,
        'builtins.getattr': _method_of_checkpoint
    }


class _OneCycle:
    """Stands for the schedule in a checkpoint, which says no more of it than
    the names of its curves: to import it takes as long as torch."""


def _method_of_checkpoint(owner: type, name: str):
    """Do what ``getattr`` may in a checkpoint: name a method of a buffer, or
    the curve of a ``OneCycleLR``."""
    from mmengine.logging import HistoryBuffer
    if owner is _OneCycle and name in _CURVES:
        from mmengine.optim import OneCycleParamScheduler
        return getattr(OneCycleParamScheduler, name)
    if owner is HistoryBuffer and not name.startswith('_'):
        return getattr(owner, name)
    raise pickle.UnpicklingError(
        f'A checkpoint should not refer to {owner!r}.{name}.')
