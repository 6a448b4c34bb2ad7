"""Data sets in miniature: brought, laid out, and left alone."""
from __future__ import annotations

import os
import shutil
import tarfile

import pytest

from .miniatures import tree

NAMES = ('office31', 'office-home', 'visda2017', 'domainnet', 'mnist', 'usps',
         'svhn', 'mnist-m')


@pytest.mark.parametrize('wrapped_in', ['', 'Some data/2016'])
@pytest.mark.parametrize('name', NAMES)
def test_published_layouts(mini, server, name, wrapped_in):
    preparation = mini(name, wrapped_in)
    assert len(preparation.verify()) >= len(preparation.data_set.parts)
    assert preparation.complete() == []
    assert preparation.verify() == []
    root, parts = preparation.root, preparation.data_set.parts
    assert all((root / part.path).exists() for part in parts)
    places = [part.path for part in parts]
    assert all(file.startswith(tuple(places)) for file in tree(root))
    assert {path.name for path in root.iterdir()} <= {
        'downloads', *(place.split('/')[0] for place in places)}
    # A second call only verifies.
    count, before = len(server.requests), tree(root)
    assert preparation.complete() == []
    assert len(server.requests) == count and tree(root) == before


def test_only_what_is_missing_is_brought(mini, server):
    preparation = mini('domainnet')
    preparation.complete()
    (preparation.root / 'sketch_test.txt').unlink()
    shutil.rmtree(preparation.root / 'downloads')
    assert preparation.verify() == ['sketch_test.txt is missing.']
    server.requests.clear()
    assert preparation.complete() == []
    assert [path for path, _ in server.requests] == ['/sketch_test.txt']


def test_chosen_domains_only(package, mini, server):
    preparation = mini('domainnet')
    some = package.prepare.Preparation(
        preparation.data_set.only(['clipart', 'sketch']), preparation.root)
    assert some.complete() == [] != preparation.verify()
    assert len(server.requests) == 6
    with pytest.raises(package.preparation_error.PreparationError,
                       match='clipart, infograph.*got comics'):
        preparation.data_set.only(['comics', 'clipart'])


def test_a_dead_link_does_not_stop_the_rest(mini, server):
    preparation = mini('domainnet')
    (server.folder / 'clipart.zip').unlink()
    problems = preparation.complete()
    # Its lists are there, and tell which images are not.
    assert [problem.split(':')[0] for problem in problems[:3]] == [
        'clipart is missing.', 'clipart_train.txt', 'clipart_test.txt'
    ]
    assert '404' in problems[3] and 'ai.bu.edu/M3SDA/' in problems[3]
    assert len(problems) == 4


def test_incomplete_archive_changes_nothing(mini, server):
    preparation = mini('office31')
    archive = server.folder / 'domain_adaptation_images.tar.gz'
    shutil.unpack_archive(archive, server.folder)
    (server.folder / 'webcam/images/bike/1.png').write_bytes(b'')
    with tarfile.open(archive, 'w:gz') as file:
        for domain in ('amazon', 'webcam'):
            file.add(server.folder / domain, domain)
    problems = preparation.complete()
    assert [text.split(', ', 1)[-1] for text in problems] == [
        'amazon/images is missing.', 'dslr/images is missing.',
        'webcam/images is missing.', 'dslr/images is missing.',
        'webcam/images: 1 images are empty: bike/1.png.']
    assert tree(preparation.root) == {}


def test_damaged_archive_is_an_error_and_got_anew(mini, server):
    """Without a checksum only its contents can tell."""
    preparation = mini('office-home')
    archive = server.folder / 'OfficeHomeDataset_10072016.zip'
    right = archive.read_bytes()
    archive.write_bytes(right[:-100])
    *_, problem = preparation.complete()
    path = preparation.downloads / archive.name
    assert problem.startswith(f'{path} is damaged or incomplete')
    assert problem.endswith('Delete it to get it anew.')
    assert tree(preparation.root) == {}
    path.unlink()
    archive.write_bytes(right)
    assert preparation.complete() == []


def test_what_a_killed_run_left_is_cleared(mini):
    preparation = mini('office31')
    left = preparation.root / '.unpacking/1/amazon'
    left.mkdir(parents=True)
    (left / 'half.png').write_bytes(b'')
    assert preparation.complete() == []
    assert not (preparation.root / '.unpacking').exists()


def test_two_at_a_time_are_refused(package, mini):
    preparation = mini('office31')
    error = package.preparation_error.PreparationError
    with package.workspace.Workspace(preparation.root).opened(), \
            pytest.raises(error, match='Another'):
        preparation.complete()


def test_file_systems_that_cannot_lock(package, mini, monkeypatch):
    def cannot(*args):
        raise OSError(9, 'Bad file descriptor')

    monkeypatch.setattr(package.workspace.fcntl, 'flock', cannot)
    assert mini('office31').complete() == []


def test_complete_data_set_may_be_read_only(package, office, monkeypatch):
    def no_write(*args, **kwargs):
        raise AssertionError('It writes.')

    monkeypatch.setattr(package.workspace.Path, 'mkdir', no_write)
    monkeypatch.setattr(os, 'replace', no_write)
    assert office.complete() == []
