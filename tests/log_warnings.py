"""What MMEngine's log warns of."""
from __future__ import annotations

import logging
from typing import Callable

from mmengine.logging import MMLogger


def warnings_of(act: Callable[[], object]) -> list[str]:
    """Messages of the log while it acts."""
    told = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: told.append(record.getMessage())
    logger = MMLogger.get_current_instance()
    logger.addHandler(handler)
    try:
        act()
    finally:
        logger.removeHandler(handler)
    return told
