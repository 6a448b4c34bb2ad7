"""What pip installs is enough, where there is no clone."""
from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.metadata import Distribution, distributions
from pathlib import Path

import pytest

import mmgh

ROOT = Path(__file__).parents[1]
SOURCES = ('setup.py', 'README.md', 'LICENSE', 'requirements', 'mmgh',
           'configs', 'tools')
NAME = 'dann/dann_lenet_1xb32-1k_digits-digits2digitsm.py'
# All in one process, which would take its imports from the clone if they were
# not in the wheel.
SESSION = f'''
import sys
from mmgh_command import main
main(['study', 'mmgh::studies/digits.py', '--dry-run', '--seeds', '3'])
main(['train', 'mine.py', '--cfg-options', 'train_cfg.max_iters=2'])
main(['train', {NAME!r}, '--cfg-options', 'train_cfg.max_iters=1',
      'train_cfg.val_interval=1'])
print(*{{getattr(module, '__file__', None)
        for module in list(sys.modules.values())}}, sep='\\n')
'''


def run(*command, cwd: Path, **variables: str) -> str:
    result = subprocess.run([sys.executable, *map(str, command)],
                            cwd=cwd,
                            env={**os.environ, **variables},
                            capture_output=True,
                            text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope='module')
def installed(tmp_path_factory) -> Path:
    """Folder that pip installed mmgh to, from an archive of its sources."""
    sources = tmp_path_factory.mktemp('sources')
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, sources / name, symlinks=True)
        else:
            shutil.copy(ROOT / name, sources)
    run('setup.py', '-q', 'sdist', cwd=sources)
    archive, = sources.glob('dist/*.tar.gz')
    target = sources / 'target'
    run('-m', 'pip', '--disable-pip-version-check', 'install', archive,
        '--no-deps', '--no-index', '--no-build-isolation', '--target', target,
        cwd=sources)
    return target


@pytest.fixture(scope='module')
def session(installed, tmp_path_factory) -> tuple[Path, str]:
    """An empty folder after some commands, and what they printed."""
    folder = tmp_path_factory.mktemp('empty')
    (folder / 'mine.py').write_text(f"_base_ = 'mmgh::{NAME}'\n")
    return folder, run(
        '-W', 'ignore', '-c', SESSION, cwd=folder, PYTHONPATH=str(installed))


def files(folder: Path) -> set[str]:
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob('*')
        if path.is_file() and path.suffix not in ('.pyc', '.sh')
    }


@pytest.mark.parametrize('name', ['configs', 'tools'])
def test_all_configs_and_tools_are_there(installed, name):
    there = installed / 'mmgh/.mim' / name
    assert not there.is_symlink()
    assert files(there) == files(ROOT / name)
    assert not list(there.rglob('*.sh'))


def test_config_of_ones_own_trains(session):
    folder, _ = session
    assert (folder / 'work_dirs/mine/iter_2.pth').is_file()


def test_config_of_the_package_trains(session):
    folder, _ = session
    assert (folder / 'work_dirs' / Path(NAME).stem / 'iter_1.pth').is_file()


def test_study_of_the_package_is_listed(session):
    lines = session[1].splitlines()
    assert 'Digits_-_DigitsM/DANN/GH/3' in lines


def test_nothing_else_is_written(session):
    assert {path.name for path in session[0].iterdir()} == {
        'mine.py', 'work_dirs'}


def test_nothing_comes_from_the_clone(session, installed):
    imported = [line for line in session[1].splitlines() if '.py' in line]
    assert str(installed / 'mmgh/__init__.py') in imported
    own = [str(ROOT / name) for name in ('mmgh/', 'tools/', 'configs/')]
    assert not [file for file in imported if file.startswith(tuple(own))]


def test_command_needs_no_torch(installed, tmp_path):
    """Nor anything else that is not Python's own."""
    command = '-S', installed / 'bin/mmgh', '--help'
    told = run(*command, cwd=tmp_path, PYTHONPATH=str(installed))
    assert f"{installed / 'mmgh/.mim/configs'}\n" in told


@pytest.fixture(scope='module')
def distribution(installed) -> Distribution:
    found, = distributions(name='mmgh', path=[str(installed)])
    return found


def test_metadata(distribution):
    data = distribution.metadata
    assert data['Version'] == mmgh.__version__
    assert data['Requires-Python'] == '>=3.9'
    licence = data.get('License-Expression') or data.get('License')
    assert licence == 'Apache-2.0'
    for name in ('Author', 'Summary', 'Keywords', 'Project-URL'):
        assert data[name]
    extras = set(data.get_all('Provides-Extra'))
    files = {path.stem for path in (ROOT / 'requirements').glob('*.txt')}
    # What is always required, and a pin for the clone alone.
    assert extras == files - {'runtime', 'torch'}


def test_command_is_an_entry_point(distribution):
    entry, = distribution.entry_points
    assert (entry.group, entry.name) == ('console_scripts', 'mmgh')
