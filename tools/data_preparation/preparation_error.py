"""The error that the tool prints without a traceback."""
from __future__ import annotations


class PreparationError(Exception):
    """Something that the user can mend, and how."""
