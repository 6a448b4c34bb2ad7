"""Unpacks archives, and never writes outside the target, or without end.

Only regular files are written, by ourselves, so it does not depend on what
the Python at hand does about links, owners and permissions.
"""
from __future__ import annotations

import bz2
import gzip
import lzma
import shutil
import stat
import tarfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO, Callable

from progress import progress_bar

from .naming import is_litter
from .preparation_error import PreparationError

COMPRESSIONS = {
    b'\x1f\x8b': gzip.open,
    b'BZh': bz2.open,
    b'\xfd7zXZ': lzma.open,
}
# Images do not get smaller, digits by a factor of 5; one made to fill a disk
# has a thousand.
RATIO = 20
ALWAYS_ALLOWED = 64 << 20
# What a member takes, however small it is.
BLOCK = 512
DAMAGES = (zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, EOFError,
           zlib.error, lzma.LZMAError, NotImplementedError, UnicodeDecodeError)


class Allowance:
    """How many bytes an archive may still unpack to.

    Args:
        archive (Path): The archive.
        target (Path): Folder on the disk that they go to.
    """

    def __init__(self, archive: Path, target: Path) -> None:
        size = archive.stat().st_size
        free = shutil.disk_usage(target).free
        self._left = min(ALWAYS_ALLOWED + RATIO * size, free)
        reason = ('are free on the disk' if self._left == free else
                  f'may be in an archive of {_megabytes(size)}')
        self._message = (f'{archive} unpacks to more than the '
                         f'{_megabytes(self._left)} that {reason}.')

    def of(self, member: IO[bytes]) -> _Counted:
        """Let a member take from it, at least a block."""
        self.take(BLOCK)
        return _Counted(member, self)

    def take(self, size: int) -> None:
        """Count bytes that were unpacked.

        Raises:
            PreparationError: If there are too many.
        """
        self._left -= size
        if self._left < 0:
            raise PreparationError(self._message)


class _Counted:
    """A member of an archive, whose bytes are counted.

    Args:
        member (IO[bytes]): The member.
        allowance (Allowance): What it takes from.
    """

    def __init__(self, member: IO[bytes], allowance: Allowance) -> None:
        self._member = member
        self._allowance = allowance

    def read(self, size: int) -> bytes:
        """Read bytes."""
        part = self._member.read(size)
        self._allowance.take(len(part))
        return part


def _megabytes(size: int) -> str:
    return f'{size / 1e6:.1f} MB'


def unpack(archive: Path, target: Path) -> None:
    """Unpack a zip, a tar of any compression, or one compressed file.

    Args:
        archive (Path): Its first bytes tell what it is, not its name.
        target (Path): A new folder.

    Raises:
        PreparationError: If it is no archive, or damaged, or has members
            outside the target, or is too large when it is unpacked. What was
            written is removed again.
    """
    extract = _extractor(archive)
    target.mkdir(parents=True)
    try:
        extract(archive, target, Allowance(archive, target))
    except BaseException as error:
        shutil.rmtree(target)
        if isinstance(error, DAMAGES):
            raise PreparationError(f'{archive} is damaged or incomplete: '
                                   f'{error}.') from error
        if isinstance(error, OSError):
            raise PreparationError(
                f'Unpacking {archive} failed: {error}.') from error
        raise


def _extractor(archive: Path) -> Callable[[Path, Path, Allowance], None]:
    with open(archive, 'rb') as file:
        beginning = file.read(512)
    if beginning.startswith(b'PK'):
        return _extract_zip
    if _is_tar_header(beginning):
        return _extract_tar
    for magic, decompress in COMPRESSIONS.items():
        if beginning.startswith(magic):
            return _extract_tar if _holds_tar(
                archive, decompress) else _extract_file
    what = ('a web page' if beginning.lstrip().startswith(b'<') else
            'empty' if not beginning else 'no zip, tar or gz archive')
    raise PreparationError(f'{archive} is {what}.')


def _holds_tar(archive: Path, decompress: Callable) -> bool:
    try:
        with decompress(archive) as file:
            return _is_tar_header(file.read(512))
    except (OSError, *DAMAGES):
        # Too damaged to tell; unpacking it will say so.
        return archive.name.endswith(('.tgz', '.tar.gz'))


def _is_tar_header(block: bytes) -> bool:
    try:
        tarfile.TarInfo.frombuf(block, 'utf-8', 'surrogateescape')
    except tarfile.TarError:
        return False
    return True


def _extract_zip(archive: Path, target: Path, allowance: Allowance) -> None:
    with zipfile.ZipFile(archive) as file:
        members = [info for info in file.infolist() if not info.is_dir()]
        for info in members:
            if stat.S_ISLNK(info.external_attr >> 16):
                raise PreparationError(
                    f'{archive} has the link {info.filename!r}, which is '
                    'refused.')
            if info.flag_bits & 1:
                raise PreparationError(f'{archive} needs a password.')
        # All names first: nothing is written if one is bad.
        names = [_inside(target, info.filename, archive) for info in members]
        with progress_bar(f'Unpacking {archive.name}',
                          len(members)) as advance:
            for info, path in zip(members, names):
                with file.open(info) as member:
                    _write(allowance.of(member), path)
                advance(1)


def _extract_tar(archive: Path, target: Path, allowance: Allowance) -> None:
    # Its table of contents is spread over the archive: one pass does both.
    with tarfile.open(archive) as file, progress_bar(
            f'Unpacking {archive.name}', archive.stat().st_size,
            of_bytes=True) as advance:
        done = 0
        for info in file:
            path = _inside(target, info.name, archive)
            if info.issym() or info.islnk():
                raise PreparationError(
                    f'{archive} has the link {info.name!r}, which is '
                    'refused.')
            if info.isfile():
                _write(allowance.of(file.extractfile(info)), path)
            elif not info.isdir():
                raise PreparationError(
                    f'{archive} has {info.name!r}, which is neither a file '
                    'nor a folder.')
            position = _position(file)
            advance(position - done)
            done = position
        # The checksum of a compressed archive is at its very end.
        while rest := file.fileobj.read(1 << 20):
            allowance.take(len(rest))


def _position(file: tarfile.TarFile) -> int:
    """In the archive itself, also if it is compressed."""
    raw = getattr(file.fileobj, 'fileobj', None) or file.fileobj
    return raw.tell()


def _extract_file(archive: Path, target: Path, allowance: Allowance) -> None:
    with open(archive, 'rb') as file:
        beginning = file.read(8)
    decompress = next(function for magic, function in COMPRESSIONS.items()
                      if beginning.startswith(magic))
    with decompress(archive) as member:
        _write(allowance.of(member), target / archive.stem)


def _inside(target: Path, name: str, archive: Path) -> Path:
    """Where a member goes."""
    # Some archives are made on Windows.
    path = PurePosixPath(name.replace('\\', '/'))
    if path.is_absolute() or '..' in path.parts:
        raise PreparationError(
            f'{archive} has {name!r}, which lies outside of it. Nothing was '
            'unpacked.')
    return target / path


def _write(member: IO[bytes], path: Path) -> None:
    if is_litter(path.name):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, 'wb') as file:
        shutil.copyfileobj(member, file, 1 << 20)
