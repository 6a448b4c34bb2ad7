"""A domain as a folder of images."""
from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Mapping

from .images import broken_images, holds_images, images_below
from .naming import find_below, first_ten, subfolders


@dataclass(frozen=True)
class ImageFolder:
    """Images below one folder, usually in a folder for each class.

    Example:
        >>> ImageFolder('dslr', path='dslr/images', images=498, classes=31)
    """

    domain: str
    images: int | None
    """How many; None where only those in lists count."""
    classes: Mapping[str, int] | int | None
    """Images of each class, or how many class folders there are; None if
    the folders are no classes."""
    path: str = ''
    """Relative to the root of the data set; empty: named as the domain."""
    aliases: tuple[str, ...] = ()
    """Other paths under which it is found in the wild."""

    def __post_init__(self) -> None:
        object.__setattr__(self, 'path', self.path or self.domain)

    def find(self, tree: Path) -> Path | None:
        for path in (self.path, *self.aliases):
            found = find_below(tree, path, self._fits)
            if found is not None:
                return found
        return None

    def _fits(self, place: Path) -> bool:
        if not place.is_dir():
            return False
        return (any(map(holds_images, subfolders(place)))
                or self.classes is None and holds_images(place))

    def class_names(self, place: Path) -> set[str]:
        """Empty if the folders are no classes."""
        if self.classes is None:
            return set()
        return {folder.name for folder in subfolders(place)}

    def problems(self, place: Path, decode: bool) -> list[str]:
        if not place.is_dir():
            return ['is no folder']
        paths = list(images_below(place))
        problems = []
        if self.images not in (None, len(paths)):
            problems.append(f'{len(paths)} images instead of {self.images}')
        if self.classes is not None:
            problems += self._class_problems(place, paths)
        title = f"{'Decoding' if decode else 'Checking'} {self.path}"
        return problems + broken_images(paths, place, decode, title)

    def _class_problems(self, place: Path, paths: list[Path]) -> list[str]:
        counts = Counter(path.relative_to(place).parts[0] for path in paths)
        loose = [path.name for path in paths if path.parent == place]
        if loose:
            return [f'{len(loose)} images are in no class folder: '
                    f'{first_ten(loose)}']
        names = self.class_names(place)
        empty = sorted(name for name in names if not counts[name])
        problems = [f'classes without images: {first_ten(empty)}'
                    ] * bool(empty)
        if isinstance(self.classes, int):
            if len(names) != self.classes:
                problems.append(
                    f'{len(names)} classes instead of {self.classes}')
            return problems
        absent = sorted(set(self.classes) - names)
        unknown = sorted(names - set(self.classes))
        wrong = [
            f'{name} has {counts[name]} instead of {count}'
            for name, count in self.classes.items()
            if name in names and counts[name] != count
        ]
        return problems + [
            f'{title}: {first_ten(found)}'
            for title, found in (('missing classes', absent),
                                 ('unknown classes', unknown),
                                 ('images of classes', wrong)) if found
        ]

    def summary(self) -> str:
        if self.images is None:
            return f'{self.path}/'
        return f'{self.path}/ {self.images} images'
