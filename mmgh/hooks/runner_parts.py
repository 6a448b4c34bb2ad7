"""What a runner has one of, or several by name."""
from __future__ import annotations

from typing import Any


def schedulers_of(runner) -> list[Any]:
    """Return the schedules, of all optim wrappers."""
    schedulers = runner.param_schedulers or []
    if isinstance(schedulers, dict):
        return [each for some in schedulers.values() for each in some]
    return list(schedulers)
