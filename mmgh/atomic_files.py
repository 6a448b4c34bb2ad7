"""Files that are written as a whole, or not at all."""
from __future__ import annotations

import os
from pathlib import Path

from mmengine.fileio import LocalBackend


def write_atomically(path: str | Path, data: bytes) -> None:
    """Write a file beside its place, and then move it there.

    A kill or a power cut leaves what was there before, or all of the new
    file. Half of one is at most in ``<path>.part``.

    Raises:
        OSError: If the disk is full, or so; it names the file.
    """
    path = Path(os.path.realpath(path))  # a link stays one
    partial = path.with_name(f'{path.name}.part')
    try:
        with open(partial, 'wb') as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except BaseException as error:
        partial.unlink(missing_ok=True)
        if isinstance(error, OSError):
            error.filename = str(path)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Have the name of a new file on the disk, where folders can be synced."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    except OSError:
        pass
    finally:
        os.close(descriptor)


class AtomicLocalBackend(LocalBackend):
    """MMEngine's backend of local files, which writes them atomically."""

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write bytes; make the folder, if there is none."""
        if os.path.exists(filepath) and not os.path.isfile(filepath):
            super().put(obj, filepath)  # a device or a pipe
            return
        os.makedirs(os.path.dirname(filepath) or '.', exist_ok=True)
        write_atomically(filepath, obj)

    def put_text(self,
                 obj: str,
                 filepath: str | Path,
                 encoding: str = 'utf-8') -> None:
        """Write text; make the folder, if there is none."""
        self.put(obj.encode(encoding), filepath)
