"""Archives: nothing outside of the target, nothing of a damaged one."""
from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile

import pytest

FILES = {'a/x.txt': b'x' * 5000, 'b c/y.txt': b'y', 'z.txt': b''}


def make_zip(path, files=FILES, **kwargs):
    with zipfile.ZipFile(path, 'w', **kwargs) as archive:
        for name, data in files.items():
            archive.writestr(name, data)


def make_tar(path, files=FILES, mode='w', links=()):
    with tarfile.open(path, mode) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for info in links:
            archive.addfile(info)


MAKERS = {
    'zip': make_zip,
    'tar': make_tar,
    'tar.gz': lambda path, files=FILES: make_tar(path, files, 'w:gz'),
    'tar.xz': lambda path, files=FILES: make_tar(path, files, 'w:xz'),
}


@pytest.fixture
def unpack(package, tmp_path):
    """Returns files and contents, after a check that nothing else changed."""
    target = tmp_path / 'inner' / 'target'

    def run(archive):
        before = set(tmp_path.rglob('*'))
        try:
            package.unpack.unpack(archive, target)
        except package.preparation_error.PreparationError:
            assert set(tmp_path.rglob('*')) - before <= {target.parent}
            raise
        new = set(tmp_path.rglob('*')) - before - {target.parent}
        assert all(target in (path, *path.parents) for path in new)
        return {
            path.relative_to(target).as_posix(): path.read_bytes()
            for path in target.rglob('*') if path.is_file()
        }

    return run


@pytest.fixture
def refused(package):
    return lambda words: pytest.raises(
        package.preparation_error.PreparationError, match=words)


@pytest.mark.parametrize('form', MAKERS)
@pytest.mark.parametrize('name', ['right', 'misleading.dat'])
def test_what_was_packed_comes_out(unpack, tmp_path, form, name):
    archive = tmp_path / name.replace('right', f'data.{form}')
    MAKERS[form](archive)
    assert unpack(archive) == FILES


@pytest.mark.parametrize('module', [gzip, bz2, lzma])
def test_single_compressed_file(unpack, tmp_path, module):
    archive = tmp_path / 'train-images-idx3-ubyte.gz'
    archive.write_bytes(module.compress(b'digits' * 1000))
    assert unpack(archive) == {'train-images-idx3-ubyte': b'digits' * 1000}


@pytest.mark.parametrize('form', MAKERS)
@pytest.mark.parametrize(
    'name', ['../evil.txt', 'a/../../evil.txt', '/tmp/evil.txt',
             '..\\evil.txt'])
def test_names_outside_are_refused(unpack, refused, tmp_path, form, name):
    MAKERS[form](tmp_path / 'data', {**FILES, name: b'evil'})
    with refused('evil.txt.*outside'):
        unpack(tmp_path / 'data')


@pytest.mark.parametrize('kind', ['SYMTYPE', 'LNKTYPE', 'FIFOTYPE', 'CHRTYPE'])
@pytest.mark.parametrize('to', ['/etc/passwd', '../../x', 'a/x.txt'])
def test_links_and_devices_of_tars_are_refused(unpack, refused, tmp_path,
                                               kind, to):
    link = tarfile.TarInfo('a/link')
    link.type, link.linkname = getattr(tarfile, kind), to
    make_tar(tmp_path / 'data.tar', links=[link])
    with refused("'a/link', which is"):
        unpack(tmp_path / 'data.tar')


def test_links_of_zips_are_refused(unpack, refused, tmp_path):
    link = zipfile.ZipInfo('a/link')
    link.external_attr = 0o120777 << 16
    make_zip(tmp_path / 'data.zip', {link: '/etc/passwd'})
    with refused("link 'a/link'"):
        unpack(tmp_path / 'data.zip')


@pytest.mark.parametrize('form', ['zip', 'tar', 'tar.gz', 'tar.xz', 'gz'])
@pytest.mark.parametrize('length', [0.3, 0.75])
def test_truncated_archive_is_refused(unpack, refused, tmp_path, form,
                                      length):
    archive = tmp_path / f'data.{form}'
    # Noise, as it does not shrink, with no empty end of a tar to lose.
    noise = bytes(i * i * 7 // 5 % 251 for i in range(40000))
    if form == 'gz':
        archive.write_bytes(gzip.compress(noise))
    else:
        MAKERS[form](archive, {'noise': noise})
    data = archive.read_bytes()
    archive.write_bytes(data[:int(length * len(data))])
    with refused(f'data.{form} is damaged'):
        unpack(archive)


@pytest.mark.parametrize('form', ['zip', 'tar.gz'])
def test_flipped_bit_is_noticed(unpack, refused, tmp_path, form):
    archive = tmp_path / f'data.{form}'
    MAKERS[form](archive, {'noise': bytes(i * i % 251 for i in range(5000))})
    data = bytearray(archive.read_bytes())
    data[len(data) // 2] ^= 1
    archive.write_bytes(data)
    with refused('is damaged'):
        unpack(archive)


def test_wrong_checksum_of_a_tar_is_noticed(unpack, refused, tmp_path):
    """It comes after all that is unpacked."""
    archive = tmp_path / 'data.tar.gz'
    make_tar(archive, mode='w:gz')
    content = bytearray(archive.read_bytes())
    content[-8] ^= 1
    archive.write_bytes(content)
    with refused('data.tar.gz'):
        unpack(archive)


@pytest.mark.parametrize('data, words', [
    (b'', 'is empty'),
    (b'\n<!DOCTYPE html>', 'is a web page'),
    (b'Rar!\x1a\x07\x00', 'is no zip, tar or gz archive'),
])
def test_other_files_are_refused(unpack, refused, tmp_path, data, words):
    (tmp_path / 'data.zip').write_bytes(data)
    with refused(words):
        unpack(tmp_path / 'data.zip')


@pytest.mark.parametrize('form', MAKERS)
def test_litter_is_left_out(unpack, tmp_path, form):
    MAKERS[form](tmp_path / 'data', {**FILES, 'a/.DS_Store': b'', '._x': b'-'})
    assert unpack(tmp_path / 'data') == FILES


def test_interruption_leaves_nothing(package, unpack, tmp_path, monkeypatch):
    MAKERS['zip'](tmp_path / 'data.zip')
    write = package.unpack._write

    def interrupted(member, path):
        if path.name == 'y.txt':
            raise KeyboardInterrupt
        write(member, path)

    monkeypatch.setattr(package.unpack, '_write', interrupted)
    with pytest.raises(KeyboardInterrupt):
        unpack(tmp_path / 'data.zip')
    assert not (tmp_path / 'inner' / 'target').exists()


@pytest.fixture
def small(package, monkeypatch):
    """A thousandth of what is allowed otherwise."""
    monkeypatch.setattr(package.unpack, 'ALWAYS_ALLOWED', 64 << 10)


@pytest.mark.parametrize('form', [*MAKERS, 'gz'])
@pytest.mark.parametrize('names', [1, 10])
def test_what_fills_the_disk_is_refused(unpack, refused, tmp_path, small, form,
                                        names):
    archive = tmp_path / f'data.{form}'
    zeros = bytes(4_000_000 // names)
    if form == 'gz':
        archive.write_bytes(gzip.compress(bytes(4_000_000)))
    elif form == 'zip':
        make_zip(archive, {f'{i}': zeros for i in range(names)},
                 compression=zipfile.ZIP_DEFLATED)
    else:
        MAKERS[form](archive, {f'{i}': zeros for i in range(names)})
    if form == 'tar':  # nothing is hidden in it
        assert len(unpack(archive)) == names
        return
    with refused(rf'data.{form} unpacks to more than the 0.\d MB that may be'):
        unpack(archive)


def test_many_empty_files_count(unpack, refused, tmp_path, small):
    make_tar(tmp_path / 'data.tar.gz', {f'{i}': b'' for i in range(400)},
             'w:gz')
    with refused('unpacks to more than'):
        unpack(tmp_path / 'data.tar.gz')


def test_end_of_an_archive_counts(unpack, refused, tmp_path, small):
    make_tar(tmp_path / 'data.tar')
    data = (tmp_path / 'data.tar').read_bytes() + bytes(4_000_000)
    (tmp_path / 'data.tar.gz').write_bytes(gzip.compress(data))
    with refused('unpacks to more than'):
        unpack(tmp_path / 'data.tar.gz')


def test_disk_that_is_too_small_is_told(package, unpack, refused, tmp_path,
                                        monkeypatch):
    usage = package.unpack.shutil.disk_usage(tmp_path)._replace(free=4000)
    monkeypatch.setattr(package.unpack.shutil, 'disk_usage',
                        lambda path: usage)
    make_zip(tmp_path / 'data.zip')
    with refused('more than the 0.0 MB that are free on the disk'):
        unpack(tmp_path / 'data.zip')
