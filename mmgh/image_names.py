"""Which files count as images, by their names.

It imports nothing but Python's own: the command looks here before it imports
torch.
"""
from __future__ import annotations

from pathlib import Path

EXTENSIONS = ('.jpg', '.jpeg', '.png', '.ppm', '.bmp', '.pgm', '.tif', '.tiff',
              '.webp')


def is_hidden(name: str | Path) -> bool:
    """Tell whether a path, relative to the folder that was given, is of a
    hidden file or goes through a hidden folder."""
    return any(part.startswith('.') for part in Path(name).parts)
