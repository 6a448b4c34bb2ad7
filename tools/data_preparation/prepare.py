"""Completes a data set, and says what is wrong with it."""
from __future__ import annotations

import shutil
from pathlib import Path
from typing import Sequence

from .contradictions import contradictions, lacks_images
from .download import fetch
from .origins import Origins, tree_of
from .preparation_error import PreparationError
from .record import DataSet, Part, Source
from .workspace import Workspace


class Preparation:
    """A data set on this disk.

    Args:
        data_set (DataSet): What it should be.
        root (Path): Where it is, or should come to be.
        decode (bool): Decode each image when it is checked. Defaults to
            False.
    """

    def __init__(self,
                 data_set: DataSet,
                 root: Path,
                 decode: bool = False) -> None:
        self.data_set = data_set
        self.root = root
        self.downloads = root / 'downloads'
        self.decode = decode

    def verify(self) -> list[str]:
        """All that is missing or wrong; nothing is changed."""
        return self._all_problems(self._check_parts())

    def complete(self, origins: Sequence[str] = ()) -> list[str]:
        """Bring what is missing or wrong, and leave the rest alone.

        Args:
            origins (Sequence[str]): Files, folders and URLs to take it from.
                Defaults to (), the official place.

        Returns:
            list[str]: What is still missing or wrong, and why.
        """
        problems = self._check_parts()
        if not self._all_problems(problems):
            return []  # without a write: the disk may be read-only
        obstacles = []
        with Workspace(self.root).opened() as workspace:
            given = Origins(
                origins, self.data_set, self.downloads,
                workspace) if origins else None
            for source in self.data_set.sources:
                parts = [
                    part for part in source.parts if problems[part.path]
                    or lacks_images(part, self._right(problems), self.root)
                ]
                found = self._bring(source, parts, given, workspace)
                obstacles += found
                for part in parts:
                    if not found:
                        problems[part.path] = []
                    elif not self._has(part):
                        problems[part.path] = [f'{part.path} is missing.']
        if self.downloads.is_dir() and not any(self.downloads.iterdir()):
            self.downloads.rmdir()
        return self._all_problems(problems) + obstacles

    def _has(self, part: Part) -> bool:
        return (self.root / part.path).exists()

    def _check_parts(self) -> dict[str, list[str]]:
        return {
            part.path: self._check(part, self.root / part.path)
            for part in self.data_set.parts
        }

    def _check(self, part: Part, place: Path) -> list[str]:
        if not place.exists():
            return [f'{part.path} is missing.']
        return [
            f'{part.path}: {problem}.'
            for problem in part.problems(place, self.decode)
        ]

    def _all_problems(self, problems: dict[str, list[str]]) -> list[str]:
        return sum(problems.values(), []) + contradictions(
            self._right(problems), self.root)

    def _right(self, problems: dict[str, list[str]]) -> list[Part]:
        return [part for part in self.data_set.parts
                if not problems[part.path]]

    def _bring(self, source: Source, parts: list[Part],
               given: Origins | None, workspace: Workspace) -> list[str]:
        """Put all parts in place, or none and tell why."""
        if not parts:
            return []
        try:
            if given is not None:
                return [
                    f'In what --from names, {problem}'
                    for problem in self._place(parts, given.trees, workspace)
                ]
            path = self._published(source)
            tree = self._tree_of(path, source, workspace)
            found = self._place(parts, [tree], workspace)
        except PreparationError as error:
            return [str(error)]
        shutil.rmtree(tree)
        if not found and not source.archive:
            path.unlink()
        return [f'In {path}, {problem}' for problem in found]

    @staticmethod
    def _tree_of(path: Path, source: Source, workspace: Workspace) -> Path:
        try:
            return tree_of(path, source, workspace)
        except PreparationError as error:
            raise PreparationError(
                f'{error} Delete it to get it anew.') from error

    def _published(self, source: Source) -> Path:
        path = self.downloads / source.name
        try:
            return fetch(source, self.downloads)
        except PreparationError as error:
            raise PreparationError(
                f'{error}\n    If that lasts, get {source.name} with a '
                f'browser, there or by way of {self.data_set.page} (terms of '
                f'use: {self.data_set.terms}), and run the same command with '
                f'--from and the file, or save it as\n    {path}') from error

    def _place(self, parts: list[Part], trees: list[Path],
               workspace: Workspace) -> list[str]:
        problems, places = [], {}
        for part in parts:
            found = filter(None, (part.find(tree) for tree in trees))
            place = next(found, None)
            if place is None:
                problems.append(f'{part.path} is missing.')
            else:
                places[part.path] = place
                problems += self._check(part, place)
        if problems:
            return problems
        outer = set(places.values())
        for path, place in places.items():
            if not outer.intersection(place.parents):
                place = workspace.own(place)
                self._keep_inner_parts(path, place, set(places))
                workspace.put_in_place(place, path)
        return []

    def _keep_inner_parts(self, path: str, place: Path,
                          new: set[str]) -> None:
        """Copy to a new folder those parts in the old one that stay.

        VisDA's test labels are in the folder of its images, but come in
        another file.
        """
        old = self.root / path
        for part in self.data_set.parts:
            inner = self.root / part.path
            if (part.path not in new and old in inner.parents
                    and not self._check(part, inner)):
                shutil.copy2(inner, place / inner.relative_to(old))
