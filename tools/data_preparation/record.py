"""What is known about a data set."""
from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from .preparation_error import PreparationError


class Part(Protocol):
    """A folder or a file of a prepared data set."""

    path: str
    """Where it goes, relative to the root of the data set."""
    domain: str
    """The domain that it belongs to."""

    def find(self, tree: Path) -> Path | None:
        """Where it is in a tree, which may wrap it in other folders."""

    def problems(self, place: Path, decode: bool) -> list[str]:
        """What is wrong with it at a place where it exists."""

    def summary(self) -> str:
        """What a complete one holds."""


@dataclass(frozen=True)
class Source:
    """A published file, and the parts of the data set that it holds."""

    name: str
    """As published."""
    parts: tuple[Part, ...]
    urls: tuple[str, ...]
    """The official place first, then mirrors. Pages of files on Google Drive
    will do."""
    md5: str | None = None
    """None: nobody published it, so counts alone decide."""
    size: int | None = None
    """In bytes."""
    archive: bool = True
    """False: the file itself is the part."""


@dataclass(frozen=True)
class DataSet:
    """A data set: where it is published, and what it consists of.

    Example:
        >>> cats = ImageFolder('cats', images=2, classes=dict(tabby=2))
        >>> archive = Source('pets.zip', (cats, ),
        ...                  urls=('https://example.org/pets.zip', ))
        >>> DataSet('pets', folder='pets', page='https://example.org',
        ...         terms='', sources=(archive, ))
    """

    name: str
    folder: str
    """Its place below ``data/``, unless the user names another one."""
    page: str
    """Of its authors."""
    terms: str
    """Of use, in short."""
    sources: tuple[Source, ...]

    @property
    def parts(self) -> tuple[Part, ...]:
        return tuple(part for source in self.sources for part in source.parts)

    @property
    def domains(self) -> list[str]:
        return list(dict.fromkeys(part.domain for part in self.parts))

    def only(self, domains: list[str]) -> DataSet:
        """The data set without all other domains."""
        unknown = sorted(set(domains) - set(self.domains))
        if unknown:
            raise PreparationError(
                f"`--domains` should be among {', '.join(self.domains)}, but "
                f"got {', '.join(unknown)}.")
        sources = (
            replace(
                source,
                parts=tuple(
                    part for part in source.parts if part.domain in domains))
            for source in self.sources)
        return replace(
            self, sources=tuple(source for source in sources if source.parts))
