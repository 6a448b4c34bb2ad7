"""The hidden folder in which a data set is unpacked and checked."""
from __future__ import annotations

import fcntl
import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

from progress import progress_bar

from .preparation_error import PreparationError


class Workspace:
    """Hands out new folders, and moves what is right into place.

    It lies in the root of the data set, as only there a move is sure to be
    one step: the root may be a mounted disk.

    Args:
        root (Path): Of the data set.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / '.unpacking'
        self._folders = 0

    @contextmanager
    def opened(self) -> Iterator[Workspace]:
        """Clear what a killed run has left; clear up after this one."""
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(lock)
            raise PreparationError(
                f'Another prepare_data.py is at work in {self.root}.'
            ) from error
        except OSError:
            pass  # some network file systems cannot lock folders
        try:
            self._clear()
            yield self
        finally:
            self._clear()
            self.folder.rmdir()
            os.close(lock)

    def _clear(self) -> None:
        for child in self.folder.iterdir():
            shutil.rmtree(child)

    def new_folder(self) -> Path:
        """The path of a folder that does not exist yet."""
        self._folders += 1
        return self.folder / str(self._folders)

    def own(self, found: Path) -> Path:
        """A copy of what lies elsewhere, which belongs to the user."""
        if self.folder in found.parents:
            return found
        copy = self.new_folder() / found.name
        copy.parent.mkdir()
        if found.is_file():
            return shutil.copy2(found, copy)
        total = sum(len(names) for _, _, names in os.walk(found))
        with progress_bar(f'Copying {found.name}', total) as advance:

            def copy_file(source: str, target: str) -> None:
                shutil.copy2(source, target)
                advance(1)

            return shutil.copytree(found, copy, copy_function=copy_file)

    def put_in_place(self, found: Path, path: str) -> None:
        """Move a file or a folder to its path below the root.

        What was there is kept below ``.replaced``.
        """
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if os.path.lexists(place):
            kept = self._new_place_for(path)
            kept.parent.mkdir(parents=True)
            os.replace(place, kept)
            print(f'What was in {place} is now in {kept}; delete it if you '
                  'do not need it.')
        os.replace(found, place)

    def _new_place_for(self, path: str) -> Path:
        number = 1
        while (self.root / '.replaced' / str(number)).exists():
            number += 1
        return self.root / '.replaced' / str(number) / path
