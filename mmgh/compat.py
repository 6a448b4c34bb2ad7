"""The few repairs that released dependencies need.

Each function names the combination that needs it, and does nothing
elsewhere.
"""
from __future__ import annotations

import importlib
import sys

# Only what keeps a library of the right schemas alive; see below.
_DECLARED_OPERATORS = []


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
            f'{error}. See requirements/openmmlab.txt.') from error
    found = tuple(int(part) for part in _numbers(module.__version__))
    if found < tuple(int(part) for part in minimum.split('.')):
        raise RuntimeError(f'mmgh needs {module_name}>={minimum}, but found '
                           f'{module.__version__}.')


def _numbers(version: str) -> list[str]:
    """The leading numeric parts: '2.13.0+cpu' -> ['2', '13', '0']."""
    numbers = []
    for part in version.split('+')[0].split('.'):
        if not part.isdigit():
            break
        numbers.append(part)
    return numbers


def declare_torchvision_operators() -> None:
    """Let a CUDA build of torchvision be imported beside a CPU-only torch.

    Its compiled operators cannot be loaded then, and the import stops at
    ``operator torchvision::nms does not exist``, although mmpretrain uses
    none of them. Declaring the schemas is enough. Needed by every
    torchvision up to (at least) 0.28.
    """
    try:
        importlib.import_module('torchvision')
    except ImportError:
        return  # not installed: whoever needs it will say so
    except RuntimeError as error:
        if 'torchvision::nms does not exist' not in str(error):
            raise
        for name in [n for n in sys.modules if n.startswith('torchvision')]:
            del sys.modules[name]
        import torch
        library = torch.library.Library('torchvision', 'DEF')
        for name in ('nms', 'qnms'):
            library.define(f'{name}(Tensor dets, Tensor scores, '
                           'float iou_threshold) -> Tensor')
        _DECLARED_OPERATORS.append(library)
        importlib.import_module('torchvision')


def allow_resume_globals() -> None:
    """Let ``torch.load(weights_only=True)`` read MMEngine's checkpoints.

    The default of ``weights_only`` changed in torch 2.6, and MMEngine up to
    (at least) 0.10.7 stores its log buffers as numpy arrays in every
    checkpoint. Exactly the types found there are allowed; nothing that can
    run code.
    """
    import numpy as np
    import torch
    from mmengine.logging import HistoryBuffer

    if not hasattr(torch.serialization, 'add_safe_globals'):
        return
    multiarray = importlib.import_module(
        'numpy._core.multiarray' if hasattr(np, '_core') else
        'numpy.core.multiarray')
    torch.serialization.add_safe_globals([
        HistoryBuffer, np.ndarray, np.dtype, multiarray._reconstruct,
        multiarray.scalar,
        *{type(np.dtype(name))
          for name in ('int64', 'float64', 'float32', 'bool')}
    ])
