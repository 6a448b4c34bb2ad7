"""What the user names with ``--from``: files, folders, URLs."""
from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Iterator, Sequence
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from .download import difference, download
from .naming import same_name
from .preparation_error import PreparationError
from .record import DataSet, Source
from .unpack import unpack
from .workspace import Workspace


class Origins:
    """Trees of files in which the parts of a data set are sought.

    Args:
        items (Sequence[str]): Archives or other published files, folders that
            have them or are unpacked already, and URLs of files.
        data_set (DataSet): Tells what the files are.
        downloads (Path): Where URLs are downloaded to.
        workspace (Workspace): Where archives are unpacked.
    """

    def __init__(self, items: Sequence[str], data_set: DataSet,
                 downloads: Path, workspace: Workspace) -> None:
        self.data_set = data_set
        self.downloads = downloads
        self.workspace = workspace
        self.trees: list[Path] = []
        for item in items:
            path = local_path(item)
            self.trees += self._trees(path) if path else self._download(item)

    def _download(self, url: str) -> list[Path]:
        name = Path(unquote(urlsplit(url).path)).name or 'download'
        # Many files of the web have one name, such as download?id=1.
        folder = hashlib.md5(url.encode()).hexdigest()[:8]
        path = self.downloads / folder / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_name(f'{name}.part')
            download(url, part)
            part.replace(path)
        try:
            return list(self._trees(path))
        except PreparationError:
            path.unlink()  # the next run should not find it again
            path.parent.rmdir()
            raise

    def _trees(self, path: Path) -> Iterator[Path]:
        if not path.exists():
            raise PreparationError(f'{path}, named with --from, is missing.')
        if path.is_file():
            yield self._tree_of_file(path, self._source_of(path))
            return
        yield path
        for file in sorted(path.iterdir()):
            source = self._source_of(file) if file.is_file() else None
            if source and source.archive:
                yield self._tree_of_file(file, source)

    def _source_of(self, path: Path) -> Source | None:
        """The published file of the same name."""
        for source in self.data_set.sources:
            if same_name(source.name, path.name):
                return source
        return None

    def _tree_of_file(self, path: Path, source: Source | None) -> Path:
        wrong = difference(path, source) if source else ''
        if wrong and not source.archive:
            raise PreparationError(f'{path} {wrong}.')
        if wrong:
            # Many have packed it anew, so what it holds decides.
            print(f'{path} {wrong}: it is not the published file.')
        return tree_of(path, source, self.workspace)


def tree_of(path: Path, source: Source | None,
            workspace: Workspace) -> Path:
    """A new folder with what a file holds."""
    tree = workspace.new_folder()
    if source is None or source.archive:
        unpack(path, tree)
        return tree
    place = tree / source.parts[0].path
    place.parent.mkdir(parents=True)
    shutil.copy2(path, place)
    return tree


def local_path(item: str) -> Path | None:
    """None for a URL of the web."""
    scheme = urlsplit(item).scheme if '://' in item else ''
    if scheme in ('http', 'https'):
        return None
    if scheme == 'file':
        return Path(url2pathname(urlsplit(item).path))
    if scheme:
        raise PreparationError(
            '`--from` should be a file, a folder, or a URL that begins with '
            f'http, https or file, but got {item}.')
    return Path(item).expanduser()
