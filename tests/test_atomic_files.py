"""Files that are whole or not there."""
from __future__ import annotations

import errno
import os

import mmengine
import pytest
from mmengine.fileio import get_file_backend
from mmengine.runner import save_checkpoint

from mmgh.atomic_files import AtomicLocalBackend, write_atomically


@pytest.fixture
def full_disk(monkeypatch):
    def fail(descriptor):
        raise OSError(errno.ENOSPC, 'No space left on device')

    monkeypatch.setattr(os, 'fsync', fail)


def test_what_was_there_stays_when_the_disk_is_full(tmp_path, full_disk):
    path = tmp_path / 'a.pth'
    path.write_bytes(b'old')
    with pytest.raises(OSError, match="No space left on device: '.*a.pth'"):
        write_atomically(path, b'new')
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b'old']


@pytest.mark.parametrize('write', [
    lambda path: save_checkpoint(dict(a=1), str(path)),
    lambda path: mmengine.dump(dict(a=1), path.with_suffix('.json')),
    lambda path: mmengine.dump(dict(a=1), path.with_suffix('.pkl')),
], ids=['checkpoint', 'json', 'pickle'])
def test_mmengine_writes_so(tmp_path, full_disk, write):
    with pytest.raises(OSError, match='No space left'):
        write(tmp_path / 'new/a.pth')
    assert not list((tmp_path / 'new').iterdir())


def test_a_link_stays_one(tmp_path):
    (tmp_path / 'there').mkdir()
    link, path = tmp_path / 'link', tmp_path / 'there/file'
    link.symlink_to(path)
    for content in (b'first', b'second'):
        write_atomically(link, content)
        assert link.is_symlink() and path.read_bytes() == content


def test_what_is_no_file_is_written_to():
    get_file_backend('a').put(b'nothing', os.devnull)
    assert not os.path.isfile(os.devnull)


def test_text_may_have_any_encoding(tmp_path):
    backend = get_file_backend('a')
    assert isinstance(backend, AtomicLocalBackend)
    path = str(tmp_path / 'a.txt')
    backend.put_text('é', path, encoding='latin1')
    assert backend.get(path) == b'\xe9'
