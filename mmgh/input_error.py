from __future__ import annotations


class InputError(ValueError):
    """Says that what a user gave does not fit, and what would.

    A ValueError of numpy or torch may come of a bug in here; this one does
    not, so that a tool needs no traceback to tell it.

    Args:
        message (str): What should be, and what is.
        argument (str, optional): Name of what to give another value, such as
            ``metric``. Defaults to None.
    """

    def __init__(self, message: str, argument: str | None = None) -> None:
        super().__init__(message)
        self.argument = argument


class InputTypeError(InputError, TypeError):
    """Says so of a value of another type."""
