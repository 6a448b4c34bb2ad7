"""Downloads that go on where they stopped."""
from __future__ import annotations

import hashlib
import http.client
import os
import shutil
import socket
import time
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from progress import progress_bar

from .google_drive import direct_link
from .preparation_error import PreparationError
from .record import Source

CHUNK = 1 << 20
PATIENCE = 4
"""Failures in a row, without a byte gained, until we give up."""
PAUSE = 1.
"""Seconds before the second attempt; doubled before each further one."""
TIMEOUT = 60
# All other errors of a server will still be there after a pause.
PASSING = (408, 425, 429, 500, 502, 503, 504)


class _Interruption(Exception):
    """A failure that may pass."""


def fetch(source: Source, folder: Path) -> Path:
    """The published file, downloaded to a folder unless it is there.

    Raises:
        PreparationError: If no URL gives the right file.
    """
    path = folder / source.name
    if path.exists():
        wrong = difference(path, source)
        if wrong:
            raise PreparationError(
                f'{path} {wrong}. Delete it, and it is downloaded again.')
        return path
    folder.mkdir(parents=True, exist_ok=True)
    failures = []
    for url in source.urls:
        try:
            _fetch_from(url, path, source)
            return path
        except PreparationError as error:
            failures.append(str(error))
    raise PreparationError('\n    '.join(failures))


def _fetch_from(url: str, path: Path, source: Source) -> None:
    part = path.with_name(f'{path.name}.part')
    resumed = part.exists()
    download(url, part)
    wrong = difference(part, source)
    if wrong and resumed:
        # The beginning may have been of another version, or of a mirror.
        part.unlink()
        download(url, part)
        wrong = difference(part, source)
    if wrong:
        part.unlink()
        raise PreparationError(f'{url} {wrong}. It was thrown away.')
    os.replace(part, path)


def download(url: str, part: Path) -> None:
    """Download a file to ``part``, from its end on if it exists."""
    reached, failures = _size(part), 0
    while True:
        try:
            return _receive(url, part)
        except (_Interruption, http.client.HTTPException, OSError) as error:
            if isinstance(error, OSError) and error.filename is not None:
                # Of the disk, not of the network.
                raise PreparationError(f'{part}: {error}') from error
            if _size(part) > reached:
                reached, failures = _size(part), 0
            else:
                failures += 1
            if failures == PATIENCE:
                kept = f' {reached} bytes are kept.' if reached else ''
                raise PreparationError(
                    f'{url}: {error or repr(error)}.{kept} Run the same '
                    'command again to go on.') from error
            time.sleep(PAUSE * 2**max(failures - 1, 0))


def _receive(url: str, part: Path) -> None:
    """One request: append what is missing."""
    start = _size(part)
    headers = {'User-Agent': 'mmgh', 'Accept-Encoding': 'identity'}
    if start:
        headers['Range'] = f'bytes={start}-'
    try:
        response = urlopen(
            Request(direct_link(url), headers=headers), timeout=TIMEOUT)
    except HTTPError as error:
        if error.code == 416:
            return _finish(part, error.headers.get('Content-Range', ''))
        if error.code in PASSING:
            raise _Interruption(f'{error.code} {error.reason}') from error
        raise PreparationError(
            f'{url}: {error.code} {error.reason}.') from error
    except URLError as error:
        if (isinstance(error.reason, socket.gaierror)
                and error.reason.errno != socket.EAI_AGAIN):
            raise PreparationError(
                f'{url}: there is no such host, or no network.') from error
        raise _Interruption(error.reason) from error
    with response:
        if response.headers.get_content_type() == 'text/html':
            raise PreparationError(
                f'What {url} gives is a web page, not the file.')
        length = response.headers.get('Content-Length')
        resumes = response.status == 206 and response.headers.get(
            'Content-Range', '').startswith(f'bytes {start}-')
        if not resumes:  # a server that ignores Range sends it all
            start = 0
        total = None if length is None else start + int(length)
        _require_space(part, total, start)
        _write(response, part, start, total)


def _finish(part: Path, content_range: str) -> None:
    """The server has nothing after the end of ``part``: is it complete?"""
    if content_range != f'bytes */{_size(part)}':
        part.unlink()
        raise _Interruption('the file on the server has become shorter')


def _require_space(part: Path, total: int | None, start: int) -> None:
    free = shutil.disk_usage(part.parent).free
    if total is not None and total - start > free:
        raise PreparationError(
            f'{part} needs {total - start} more bytes, but only {free} are '
            'free.')


def _write(response: http.client.HTTPResponse, part: Path, start: int,
           total: int | None) -> None:
    title = f'Downloading {part.stem}'
    # What has arrived is on the disk at once, in case that this is killed.
    with open(part, 'ab' if start else 'wb', buffering=0) as file, \
            progress_bar(title, total, start, of_bytes=True) as advance:
        while True:
            chunk = response.read1(CHUNK)
            if not chunk:
                break
            file.write(chunk)
            advance(len(chunk))
    if total is not None and _size(part) != total:
        raise _Interruption(
            f'the connection broke after {_size(part)} of {total} bytes')


def difference(path: Path, source: Source) -> str:
    """How a file differs from the published one; empty if it does not."""
    if source.size not in (None, _size(path)):
        return f'has {_size(path)} bytes instead of {source.size}'
    if source.md5 is None:
        return ''
    found = md5_of(path)
    if found != source.md5:
        return f'has the MD5 checksum {found} instead of {source.md5}'
    return ''


def md5_of(path: Path) -> str:
    # Against accidents, not attacks: these are what was published.
    digest = hashlib.md5()
    with open(path, 'rb') as file, progress_bar(
            f'Checksum of {path.name}', _size(path),
            of_bytes=True) as advance:
        for chunk in iter(lambda: file.read(CHUNK), b''):
            digest.update(chunk)
            advance(len(chunk))
    return digest.hexdigest()


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
