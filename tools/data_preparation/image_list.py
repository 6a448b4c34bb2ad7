"""A published list of images and labels."""
from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator

from .naming import find_below, first_ten


@dataclass(frozen=True)
class ImageList:
    """A text file with the path and the label of an image in each line.

    Example:
        >>> ImageList('clipart', path='clipart_test.txt', lines=14604,
        ...           classes=345)
    """

    domain: str
    path: str
    lines: int
    classes: int
    """Labels are 0 to ``classes - 1``."""
    folder: str = ''
    """What its paths are relative to, itself relative to the root."""

    def find(self, tree: Path) -> Path | None:
        return find_below(tree, self.path, Path.is_file)

    def problems(self, place: Path, decode: bool) -> list[str]:
        try:
            entries = list(self._entries(place))
        except (OSError, UnicodeDecodeError) as error:
            return [f'cannot be read: {error}']
        labels = {str(label) for label in range(self.classes)}
        wrong = [
            f'{name} {label}'.strip() for name, label in entries
            if label not in labels
        ]
        problems = []
        if len(entries) != self.lines:
            problems.append(f'{len(entries)} lines instead of {self.lines}')
        if wrong:
            problems.append(
                f'{len(wrong)} lines should end in a label from 0 to '
                f'{self.classes - 1}, but do not: {first_ten(wrong)}')
        return problems

    def absent_images(self, root: Path) -> list[str]:
        """Those in the list, relative to ``folder``, that are no files."""
        base = os.path.join(root, self.folder)
        return [
            name for name, _ in self._entries(root / self.path)
            if not os.path.isfile(os.path.join(base, name))
        ]

    @staticmethod
    def _entries(place: Path) -> Iterator[tuple[str, str]]:
        with open(place, encoding='utf-8-sig') as file:
            for line in filter(None, map(str.strip, file)):
                # Some names have spaces, and unlabelled lists no labels.
                name, _, label = line.rpartition(' ')
                yield (name, label) if name else (label, '')

    def summary(self) -> str:
        return f'{self.path} {self.lines} lines'
