"""Downloads: resumed, checked, and never half done in place."""
from __future__ import annotations

import hashlib

import pytest

DATA = bytes(range(256)) * 40
MD5 = hashlib.md5(DATA).hexdigest()


@pytest.fixture
def source(package, server):
    (server.folder / 'data.bin').write_bytes(DATA)
    return package.record.Source(
        'data.bin', parts=(), urls=(f'{server.url}/data.bin', ), md5=MD5)


@pytest.fixture
def fetch(package, tmp_path, source):
    """Returns what is in place, or None, and what is in the ``.part``."""

    def run(source=source):
        folder = tmp_path / 'downloads'
        error = None
        try:
            package.download.fetch(source, folder)
        except package.preparation_error.PreparationError as caught:
            error = str(caught)
        return (error, *(path.read_bytes() if path.exists() else None
                         for path in (folder / 'data.bin',
                                      folder / 'data.bin.part')))

    return run


@pytest.fixture
def part(tmp_path):
    (tmp_path / 'downloads').mkdir()
    return tmp_path / 'downloads' / 'data.bin.part'


def ranges(server) -> list:
    return [asked for _, asked in server.requests]


def test_file_is_downloaded_once(server, fetch):
    for _ in range(2):
        assert fetch() == (None, DATA, None)
    assert len(server.requests) == 1


def test_rest_of_a_part_is_asked_for(server, fetch, part):
    part.write_bytes(DATA[:4321])
    assert fetch() == (None, DATA, None)
    assert ranges(server) == ['bytes=4321-']


def test_server_that_ignores_range_starts_anew(server, fetch, part):
    part.write_bytes(DATA[:4321])
    server.ranges = False
    assert fetch() == (None, DATA, None)


def test_broken_connections_are_resumed(server, fetch):
    """As long as each brings something."""
    server.cut = 1200
    assert fetch() == (None, DATA, None)
    assert ranges(server)[:3] == [None, 'bytes=1200-', 'bytes=2400-']
    assert len(server.requests) == -(-len(DATA) // 1200)


def test_truncated_download_is_an_error_that_keeps_its_part(server, fetch):
    server.cut, server.ranges = 5000, False
    error, file, part = fetch()
    assert f'broke after 5000 of {len(DATA)} bytes' in error
    assert '5000 bytes are kept' in error
    assert (file, part) == (None, DATA[:5000])
    server.cut, server.ranges = None, True
    assert fetch() == (None, DATA, None)
    assert ranges(server)[-1] == 'bytes=5000-'


def test_part_that_was_complete_already(server, fetch, part):
    part.write_bytes(DATA)
    assert fetch() == (None, DATA, None)


@pytest.mark.parametrize('wrong', [b'x' * 4321, b'x' * (len(DATA) + 1)])
def test_part_of_another_file_is_thrown_away(server, fetch, part, wrong):
    part.write_bytes(wrong)
    assert fetch() == (None, DATA, None)


def test_wrong_checksum_tells_both_and_leaves_nothing(server, fetch):
    (server.folder / 'data.bin').write_bytes(b'other')
    found = hashlib.md5(b'other').hexdigest()
    error, *files = fetch()
    assert f'{found} instead of {MD5}' in error
    assert files == [None, None]


def test_wrong_size_is_told(package, server, fetch, source):
    source = package.record.Source(
        'data.bin', parts=(), urls=source.urls, size=7)
    error, *files = fetch(source)
    assert f'{len(DATA)} bytes instead of 7' in error
    assert files == [None, None]


def test_wrong_file_in_place_is_kept_and_told(fetch, part):
    place = part.with_suffix('')
    place.write_bytes(b'other')
    error, file, _ = fetch()
    assert f'{place} has the MD5' in error and file == b'other'


@pytest.mark.parametrize('status, requests', [(503, 3), (429, 3), (404, 1),
                                              (403, 1)])
def test_only_passing_errors_are_tried_again(server, fetch, status, requests):
    server.statuses = [status] * 2
    error, file, _ = fetch()
    assert len(server.requests) == requests
    if requests == 1:
        assert f'/data.bin: {status}' in error and file is None
    else:
        assert file == DATA


def test_mirror_is_used_where_the_first_place_is_dead(package, server, fetch,
                                                      source):
    urls = (f'{server.url}/moved.bin', 'http://nowhere.invalid/x',
            *source.urls)
    source = package.record.Source('data.bin', parts=(), urls=urls, md5=MD5)
    assert fetch(source) == (None, DATA, None)
    source = package.record.Source('dead.bin', parts=(), urls=urls[:2])
    error, *_ = fetch(source)
    assert 'moved.bin: 404' in error and 'no such host' in error


def test_web_page_is_no_file(server, fetch):
    server.content_type = 'text/html; charset=utf-8'
    error, *files = fetch()
    assert 'is a web page' in error and files == [None, None]


def test_full_disk_is_told_before(package, fetch, monkeypatch):
    usage = package.download.shutil.disk_usage('/')
    monkeypatch.setattr(package.download.shutil, 'disk_usage',
                        lambda path: usage._replace(free=10))
    error, *files = fetch()
    assert f'needs {len(DATA)} more bytes, but only 10 are free' in error
    assert files == [None, None]
