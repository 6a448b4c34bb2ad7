from __future__ import annotations

from mmengine.optim import OptimWrapperDict


def wrappers_by_name(optim_wrapper) -> dict:
    """Return the wrappers of a training, of which most have one, ``''``."""
    if isinstance(optim_wrapper, OptimWrapperDict):
        return dict(optim_wrapper.items())
    return {'': optim_wrapper}
