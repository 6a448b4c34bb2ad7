"""tools/prepare_data.py as a user runs it, and kills it."""
from __future__ import annotations

import importlib
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .test_data_preparation.local_server import serve
from .test_data_preparation.miniatures import publish, shrink

ROOT = Path(__file__).parents[2]
# A child process in which the files come from a local server.
CHILD = '''
import sys
sys.path[:0] = sys.argv[1:3]
import prepare_data
from data_preparation import unpack
from tests.test_tools.test_data_preparation.miniatures import shrink
name, url, wait = sys.argv[3:6]
prepare_data.DATA_SETS[name] = shrink(prepare_data.DATA_SETS[name], url)
if wait == 'unpack':
    write, written = unpack._write, []
    def write_and_wait(member, path):
        write(member, path)
        written.append(path)
        if len(written) == 2:
            print('waits', flush=True)
            sys.stdin.read()
    unpack._write = write_and_wait
sys.argv[1:] = [name]
sys.exit(prepare_data.main())
'''


@pytest.fixture
def tool(load_tool):
    return load_tool('prepare_data')


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with serve(tmp_path / 'served') as server:
        yield server


@pytest.fixture
def mini(tool, server, monkeypatch):
    """``mini(name)`` lets the tool know a miniature instead."""

    def make(name):
        data_set = shrink(tool.DATA_SETS[name], server.url)
        publish(data_set, server.folder, 'wrapped')
        monkeypatch.setitem(tool.DATA_SETS, name, data_set)
        return data_set

    return make


@pytest.fixture
def run(tool, monkeypatch, capsys):
    """``run(*args)`` gives the status, and what was printed to where."""

    def run(*args):
        monkeypatch.setattr(sys, 'argv', ['prepare_data.py', *args])
        try:
            status = tool.main()
        except SystemExit as error:
            if isinstance(error.code, int):
                raise
            # What Python makes of it.
            print(error, file=sys.stderr)
            status = 1
        return (status, *capsys.readouterr())

    return run


@pytest.fixture
def start(server):
    """Starts a child process, which ends with the test."""
    children = []

    def start(name, wait='no'):
        children.append(
            subprocess.Popen(
                [sys.executable, '-c', CHILD, ROOT / 'tools', ROOT, name,
                 server.url, wait],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True))
        return children[-1]

    yield start
    for child in children:
        child.kill()
        child.communicate()


def test_list_has_each_data_set(tool, run):
    status, out, _ = run('--list')
    assert status == 0
    for name, data_set in tool.DATA_SETS.items():
        assert f'{name}: {data_set.domains[0]}' in out
        assert data_set.page in out


def test_complete_then_verify(mini, run, server):
    mini('office-home')
    status, out, _ = run('office-home')
    assert status == 0
    assert '- Real World/ 2 images' in out
    assert Path('data/office_home/Real World/class b/1.png').is_file()
    assert 'data/office_home/downloads are no longer needed' in out
    Path('data/office_home/Art/class_a/0.png').write_bytes(b'')
    status, _, err = run('office-home', '--verify-only')
    assert status == 1
    assert '- Art: 1 images are empty: class_a/0.png.' in err
    assert len(server.requests) == 1


@pytest.mark.parametrize('name', ['office31', 'office-home', 'mnist-m'])
def test_what_a_person_has_to_click(tool, run, server, name, monkeypatch):
    """Where Google Drive has a page only, as after too many downloads."""
    drive = importlib.import_module('data_preparation.google_drive')
    monkeypatch.setattr(drive, 'DOWNLOAD', f'{server.url}/download')
    (server.folder / 'download').write_text('Quota exceeded')
    server.content_type = 'text/html'
    status, _, err = run(name)
    assert status == 1
    data_set = tool.DATA_SETS[name]
    source, = data_set.sources
    for part in data_set.parts:
        assert f'- {part.path} is missing.' in err
    for text in (*source.urls, data_set.page, data_set.terms, '--from',
                 f'data/{data_set.folder}/downloads/{source.name}'):
        assert text in err


def test_from_and_root_and_domains(mini, run, server):
    mini('domainnet')
    files = [(server.folder / f'sketch{end}').as_uri()
             for end in ('.zip', '_train.txt', '_test.txt')]
    status, out, _ = run('domainnet', '--domains', 'sketch', '--root',
                         'elsewhere', '--from', *files)
    assert status == 0 and 'elsewhere' in out
    assert {path.name for path in Path('elsewhere').iterdir()} == {
        'sketch', 'sketch_train.txt', 'sketch_test.txt'}
    assert server.requests == []


@pytest.mark.parametrize('args, words', [
    ([], 'name a data set: office31'),
    (['imagenet'], 'invalid choice'),
    (['usps', '--verify-only', '--from', 'x'], 'leave out --from'),
])
def test_wrong_command_lines(run, capsys, args, words):
    with pytest.raises(SystemExit, match='2'):
        run(*args)
    assert words in capsys.readouterr().err


def test_errors_have_no_traceback(run, server):
    status, _, err = run('usps', '--domains', 'x')
    assert status == 1 and '`--domains` should be among train, test' in err
    Path('file').write_text('')
    status, _, err = run('usps', '--root', 'file/below')
    assert status == 1 and 'Not a directory' in err


def test_interruption_by_the_user(mini, run, tool, monkeypatch, capsys):
    mini('usps')

    def interrupt(*args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(tool.Preparation, 'complete', interrupt)
        with pytest.raises(SystemExit, match='130'):
            run('usps')
    assert 'again to go on' in capsys.readouterr().err
    assert run('usps')[0] == 0


def test_killed_download_goes_on(mini, run, server, start):
    data_set = mini('office-home')
    source, = data_set.sources
    size = (server.folder / source.name).stat().st_size
    part = Path('data/office_home/downloads', f'{source.name}.part')
    server.cut = 500
    server.hang.set()
    child = start('office-home')
    while not (part.exists() and part.stat().st_size == 500):
        assert child.poll() is None, child.communicate()
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert part.stat().st_size == 500 < size
    server.cut = None
    server.hang.clear()
    assert run('office-home')[0] == 0
    assert [asked for _, asked in server.requests] == [None, 'bytes=500-']


def test_killed_unpacking_is_done_again(mini, run, server, start):
    mini('office-home')
    child = start('office-home', wait='unpack')
    assert child.stdout.readline() == 'waits\n', child.communicate()
    child.send_signal(signal.SIGKILL)
    child.wait()
    root = Path('data/office_home')
    assert {path.name for path in root.iterdir()} == {
        'downloads', '.unpacking'}
    assert len(list(root.glob('.unpacking/**/*.png'))) == 2
    assert run('office-home')[0] == 0
    assert not (root / '.unpacking').exists()
    assert len(server.requests) == 1


def test_mmpretrain_and_torchvision_read_the_results(mini, run, server):
    from mmpretrain.datasets import MNIST, CustomDataset
    from torchvision.datasets import SVHN, USPS
    for name in ('mnist', 'usps', 'svhn', 'domainnet', 'office31'):
        mini(name)
        assert run(name)[0] == 0
    images = MNIST(data_root='data/mnist', split='train', download=False)
    assert [item['gt_label'] for item in images.load_data_list()] == [0, 1]
    assert USPS('data/usps', train=False).targets == [0, 1]
    for folder, more in (('office31', dict(data_prefix='dslr/images')),
                         ('domainnet', dict(ann_file='real_test.txt'))):
        images = CustomDataset(data_root=f'data/{folder}', **more)
        assert [item['gt_label'] for item in images] == [0, 1]
        assert all(Path(item['img_path']).is_file() for item in images)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SVHN, '_check_integrity', lambda self: True)
        assert list(SVHN('data/svhn', split='test').labels) == [1, 2]
