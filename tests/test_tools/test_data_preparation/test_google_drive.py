"""Files on Google Drive, for which a local server stands in."""
from __future__ import annotations

from dataclasses import replace

import pytest

NAMES = ('office31', 'office-home', 'mnist-m')


@pytest.fixture
def on_drive(package, records, mini, server, monkeypatch):
    """``on_drive(name)``: a miniature behind its official link."""

    def make(name):
        monkeypatch.setattr(package.google_drive, 'DOWNLOAD',
                            f'{server.url}/download')
        official, = records[name].sources
        preparation = mini(name)
        source, = preparation.data_set.sources
        preparation.data_set = replace(
            preparation.data_set,
            sources=(replace(source, urls=official.urls), ))
        (server.folder / source.name).rename(server.folder / 'download')
        return preparation

    return make


@pytest.mark.parametrize('link, key', [
    ('drive.google.com/file/d/0B_x-1', ''),
    ('drive.google.com/file/d/0B_x-1/view?usp=sharing', ''),
    ('drive.google.com/file/d/0B_x-1/view?resourcekey=0-k_', '0-k_'),
    ('drive.google.com/open?id=0B_x-1', ''),
    ('drive.google.com/uc?export=download&id=0B_x-1', ''),
    ('docs.google.com/uc?id=0B_x-1&resourcekey=0-k_', '0-k_'),
])
def test_pages_lead_to_the_file(package, link, key):
    url = ('https://drive.usercontent.google.com/download?id=0B_x-1'
           '&export=download&confirm=t')
    direct_link = package.google_drive.direct_link
    assert direct_link(f'https://{link}') == (
        f'{url}&resourcekey={key}' if key else url)
    assert direct_link(url) == url


@pytest.mark.parametrize('url', [
    'http://example.org/file/d/1/view',
    'https://example.org/download?id=1',
    'https://drive.google.com/drive/folders/1',
])
def test_other_urls_stay(package, url):
    assert package.google_drive.direct_link(url) == url


@pytest.mark.parametrize('name', NAMES)
def test_official_links(on_drive, server, name):
    assert on_drive(name).complete() == []
    (path, asked), = server.requests
    assert path.startswith('/download?id=0B') and asked is None
    assert '&confirm=t&resourcekey=0-' in path


def test_links_of_the_user(on_drive, server):
    preparation = on_drive('office-home')
    link = 'https://drive.google.com/uc?id=1abc'
    assert preparation.complete([link]) == []
    assert server.requests[0][0].startswith('/download?id=1abc&')


def test_too_many_downloads_keep_what_is_there(on_drive, server):
    """A page comes then, in the middle of the file too."""
    preparation = on_drive('office-home')
    source, = preparation.data_set.sources
    preparation.downloads.mkdir(parents=True)
    part = preparation.downloads / f'{source.name}.part'
    beginning = (server.folder / 'download').read_bytes()[:100]
    part.write_bytes(beginning)
    server.content_type = 'text/html; charset=utf-8'
    problem = preparation.complete()[-1]
    assert f'What {source.urls[0]} gives is a web page' in problem
    assert part.read_bytes() == beginning
    server.content_type = 'application/octet-stream'
    assert preparation.complete() == []
    assert server.requests[-1][1] == 'bytes=100-'


def test_file_from_a_browser(on_drive, server):
    """It is taken where the message says to save it."""
    preparation = on_drive('mnist-m')
    server.content_type = 'text/html'
    place = preparation.complete()[-1].rsplit(maxsplit=1)[-1]
    preparation.downloads.mkdir(exist_ok=True)
    (server.folder / 'download').rename(place)
    assert preparation.complete() == []
