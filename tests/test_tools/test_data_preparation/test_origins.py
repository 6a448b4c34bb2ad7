"""Data sets from files, folders and URLs that the user names."""
from __future__ import annotations

import shutil
import zipfile
from dataclasses import replace

import pytest

from .miniatures import tree


def test_from_archives_folders_and_urls(mini, server, tmp_path):
    """In any mixture, and nothing of the user's is moved."""
    preparation = mini('visda2017', wrapped_in='VisDA')
    mine = tmp_path / 'mine'
    mine.mkdir()
    for name in ('image_list.txt', 'train.tar', 'validation.tar'):
        shutil.move(server.folder / name, mine)
    shutil.unpack_archive(mine / 'validation.tar', mine / 'unpacked')
    (mine / 'validation.tar').unlink()
    before = tree(mine)
    origins = [str(mine / 'unpacked'), (mine / 'train.tar').as_uri(),
               str(mine / 'image_list.txt')]
    problems = preparation.complete(origins)
    assert problems[0] == 'test is missing.'
    assert problems[-1] == 'In what --from names, test is missing.'
    assert server.requests == []
    assert preparation.complete([f'{server.url}/test.tar?dl=1']) == []
    assert tree(mine) == before


def test_from_a_folder_of_archives(mini, server):
    preparation = mini('domainnet')
    assert preparation.complete([str(server.folder)]) == []
    assert server.requests == []


@pytest.mark.parametrize('written', ['Real_World', 'RealWorld', 'real world'])
def test_from_an_archive_packed_anew(mini, server, tmp_path, written):
    """Such as a mirror's zip, with other names around the classes."""
    preparation = mini('office-home')
    archive = server.folder / 'OfficeHomeDataset_10072016.zip'
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(
            tmp_path / 'mine.zip', 'w') as new:
        for info in old.infolist():
            name = info.filename.replace('Real World', written)
            new.writestr(f'Original_images/{name}', old.read(info))
    assert preparation.complete([str(tmp_path / 'mine.zip')]) == []
    assert (preparation.root / 'Real World/class_a/0.png').is_file()


def test_office31_without_its_images_folders(mini, office, tmp_path):
    for domain in ('amazon', 'dslr', 'webcam'):
        shutil.copytree(office.root / domain / 'images', tmp_path / domain)
    shutil.rmtree(office.root)
    assert office.complete([str(tmp_path)]) == []


def test_several_places_are_no_guess(package, mini, office, tmp_path):
    for copy in ('one', 'two'):
        shutil.copytree(office.root / 'amazon', tmp_path / copy / 'amazon')
    shutil.rmtree(office.root)
    problems = office.complete([str(tmp_path)])
    assert any('several places that could be amazon/images' in text
               and 'Name one' in text for text in problems)


@pytest.mark.parametrize('origin, words', [
    ('/nowhere/x.zip', '/nowhere/x.zip.*missing'),
    ('ftp://example.org/x.zip', 'http, https or file, but got ftp'),
])
def test_wrong_origins_are_refused(package, mini, origin, words):
    with pytest.raises(
            package.preparation_error.PreparationError, match=words):
        mini('usps').complete([origin])


def test_damaged_file_of_a_url_is_not_kept(package, mini, server):
    preparation = mini('office-home')
    archive = server.folder / 'OfficeHomeDataset_10072016.zip'
    right = archive.read_bytes()
    archive.rename(server.folder / 'uc')
    url = f'{server.url}/uc?id=1'
    (server.folder / 'uc').write_bytes(right[:-100])
    with pytest.raises(
            package.preparation_error.PreparationError, match='damaged'):
        preparation.complete([url])
    (server.folder / 'uc').write_bytes(right)
    assert preparation.complete([url]) == []


def test_wrong_checksums(package, mini, server):
    """Of an archive that was packed anew: a note; of a single file: an
    error."""
    for name, words in (('office31', 'it is not the published file'),
                        ('usps', None)):
        preparation = mini(name)
        sources = tuple(
            replace(source, md5='0' * 32)
            for source in preparation.data_set.sources)
        preparation.data_set = replace(preparation.data_set, sources=sources)
        official = preparation.complete()
        assert f"instead of {'0' * 32}" in official[-1]
        assert tree(preparation.root) == {}
        file = str(server.folder / sources[0].name)
        if words:
            assert preparation.complete([file]) == []
            shutil.rmtree(preparation.root)
        else:
            with pytest.raises(package.preparation_error.PreparationError,
                               match='instead of 0000'):
                preparation.complete([file])
