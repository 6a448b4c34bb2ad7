"""Paths that are not there, told by the command before torch is imported."""
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import mmgh
from mmgh.analysis.trained_model import CONFIG_SUFFIXES
from mmgh.command import COMMANDS, PACKAGE, early_checks, main
from mmgh.command.early_checks import complaint
from .test_command import BESIDE

CONFIG = 'dann/dann_lenet_1xb32-1k_digits-digits2digitsm.py'
FOLDERS = 'study', 'folders', '--source'
WRONG = [
    ('train', 'dann/no.py'),
    ('train', 'good'),
    ('study', 'good', '--out', 'out'),
    ('train', 'nowhere::dann/no.py', '--amp'),
    ('train', CONFIG, '--resume', 'no.pth'),
    ('train', CONFIG, '--resume', 'run'),
    ('train', CONFIG, '--resume='),
    ('test', 'dann/no.py', 'no.pth'),
    ('test', CONFIG, 'no.pth'),
    ('study', 'no.py', '--out', 'out'),
    ('study', 'studies/digits.py', '--out', 'out', '--known', 'no.csv'),
    ('study-report', 'no.csv'),
    ('export', 'no', '--out', 'out'),
    ('predict', 'no', 'good/cat/0.png'),
    ('tsne', 'no'),
    ('report', 'no'),
    ('conflict', 'no'),
    ('per-class', 'no'),
    ('a-distance', 'no'),
    ('browse', 'no'),
    ('browse', 'no.py'),
    ('extract', 'resnet/no.py', 'good', '--out', 'out'),
    ('extract', CONFIG, 'no', '--out', 'out'),
    (*FOLDERS, 'no', '--target', 'good'),
    (*FOLDERS, 'empty', '--target', 'good'),
    (*FOLDERS, 'flat', '--target', 'good'),
    (*FOLDERS, 'one', '--target', 'good'),
    (*FOLDERS, 'good', '--target', 'no'),
    (*FOLDERS, 'good', '--target', 'empty'),
    (*FOLDERS, 'good', '--target', 'flat', '--weights', 'no.pth'),
]


@pytest.fixture(autouse=True)
def folders(monkeypatch, tmp_path) -> None:
    """Of names of images: nothing is decoded."""
    monkeypatch.setattr(sys, 'argv', ['mmgh'])
    monkeypatch.setattr(sys, 'path', list(sys.path))
    monkeypatch.setitem(sys.modules, '__main__', sys.modules['__main__'])
    for name in ('good/cat/0.png', 'good/dog/more/1.JPG', 'flat/0.png',
                 'one/cat/0.png', 'one/dog/.hidden.png', 'one/.bin/0.png',
                 'empty/cat/notes.txt', 'run/iter_1.pth'):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize('arguments', WRONG, ids=' '.join)
def test_the_tool_says_the_same(monkeypatch, arguments):
    """Asked without what the command does before it."""
    command, *given = arguments
    told = complaint(command, given, PACKAGE)
    assert told
    monkeypatch.setattr(mmgh.command, 'complaint', lambda *given: '')
    with pytest.raises(SystemExit) as error:
        main(list(arguments))
    assert error.value.code == told


@pytest.mark.parametrize('arguments', [
    ('train', 'dann/no.py'), ('predict', 'no', 'good'),
    (*FOLDERS, 'flat', '--target', 'good')], ids=' '.join)
def test_no_torch_is_imported(arguments):
    result = subprocess.run(
        [sys.executable, '-X', 'importtime', '-c', BESIDE, *arguments],
        capture_output=True, text=True)
    modules = {line.split('|')[-1].strip()
               for line in result.stderr.splitlines()}
    assert result.returncode == 1 and 'argparse' in modules
    assert not modules & {'torch', 'mmengine', 'numpy', 'PIL', 'mmgh'}
    assert complaint(arguments[0], list(arguments[1:]),
                     PACKAGE) in result.stderr


@pytest.mark.parametrize('arguments', [
    ('train', CONFIG, '--resume'),
    ('train', CONFIG, '--resume', 'auto', '--amp'),
    ('train', CONFIG, '--resume', 'run/iter_1.pth'),
    ('train', CONFIG, '--resume', 's3://bucket/a.pth'),
    ('test', CONFIG, 'run'), ('test', CONFIG, 's3://bucket/a.pth'),
    ('train', 'mmpretrain::resnet/resnet18_8xb32_in1k.py'),
    ('train', '--work-dir', 'new', 'dann/no.py'),
    ('study', 'studies/digits.py', '--out', 'new', '--methods', 'no'),
    (*FOLDERS, 'good', '--target', 'flat', '--out', 'new'),
    (*FOLDERS, 'good', '--target=good'),
    ('study', 'folders', '--source', '--target'),
    ('predict', 'run', 'good', '--out', 'new.csv'),
    ('extract', 'run', 'good', 'name=flat', '--out', 'new'),
    ('report', 'run', '--out', 'new.html', '--metric', 'no'),
    ('train', ), ('prepare', 'usps'), ('step-cost', '--help'),
], ids=' '.join)
def test_nothing_is_said_of_what_is_there_or_may_be_no_path(arguments):
    """Of which the tool may have something to say."""
    assert complaint(arguments[0], list(arguments[1:]), PACKAGE) == ''


def test_the_value_of_an_option_may_stand_behind_a_sign():
    assert 'no such folder' in complaint(
        'study', ['folders', '--source=no'], PACKAGE)


def test_what_it_names_is_what_there_is():
    names = set(early_checks._paths(Path(PACKAGE))) - {'study folders'}
    assert names <= set(COMMANDS)
    assert set(early_checks.CONFIGS) == set(CONFIG_SUFFIXES)
