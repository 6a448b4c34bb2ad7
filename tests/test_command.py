"""The command `mmgh`, and that it is the tools and nothing else."""
from __future__ import annotations

import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

import mmgh
from mmgh.command import COMMANDS, main

TOOLS = Path(__file__).parents[1] / 'tools'
# As it is installed: beside mmgh, by a name of its own.
BESIDE = f'''
import sys
sys.path.insert(0, {str(TOOLS.parent / 'mmgh')!r})
from command import main
main()
'''
# Of the repository, or parts of other tools.
WITHOUT = {
    'list_configs.py', 'check_versions.py', 'benchmarks/kill_and_resume.py',
    'benchmarks/gpu_check.py', 'benchmarks/image_cache.py',
    'benchmarks/opposed_steps.py', 'benchmarks/rank_messages.py',
    'benchmarks/step_growth.py',
    'studying/run.py', 'studying/copies.py'
}


@pytest.fixture(autouse=True)
def restored(monkeypatch):
    """What a process of one tool need not restore."""
    monkeypatch.setattr(sys, 'argv', ['mmgh'])
    monkeypatch.setattr(sys, 'path', list(sys.path))
    monkeypatch.setitem(sys.modules, '__main__', sys.modules['__main__'])


def ended(*arguments: str) -> int:
    with pytest.raises(SystemExit) as error:
        main(list(arguments))
    return error.value.code


def test_each_tool_has_a_command():
    tools = {
        path.relative_to(TOOLS).as_posix()
        for path in TOOLS.rglob('*.py')
        if "__name__ == '__main__'" in path.read_text()
    }
    assert set(COMMANDS.values()) == tools - WITHOUT, (
        'COMMANDS in mmgh/command should name each tool.')


def test_help_tells_what_each_command_does(capsys):
    assert ended('--help') == 0
    told = capsys.readouterr().out
    for command, file in COMMANDS.items():
        first = (TOOLS / file).read_text().split('\n')[0].strip('r"')
        assert f'  {command} ' in told and first in told
    assert 'mmgh/.mim/configs' in told
    assert 'mmgh study folders --source' in told


@pytest.mark.parametrize('command', COMMANDS)
def test_help_is_that_of_the_whole_tool(capsys, monkeypatch, command):
    """For which none of what takes long is imported."""
    monkeypatch.setenv('COLUMNS', '80')
    # Not in this process, which needs what it has imported.
    result = subprocess.run([sys.executable, '-c', BESIDE, command, '--help'],
                            capture_output=True, text=True, check=True)
    monkeypatch.setattr(mmgh.command, 'use_stand_ins', lambda: None)
    assert ended(command, '--help') == 0
    told = capsys.readouterr().out
    assert told.startswith(f'usage: mmgh {command} [-h]')
    assert 'python tools/' not in told
    assert result.stdout == told and not result.stderr


@pytest.mark.parametrize('arguments', [
    ('train', '--help'),
    ('study', 'folders', '--source', 'photos', '-h'),
    ('train', 'a.py', '--cfg-options', 'model.head.num_classes=2', '--help'),
])
def test_help_imports_no_torch(arguments):
    modules = subprocess.run(
        [sys.executable, '-X', 'importtime', '-c', BESIDE, *arguments],
        capture_output=True, text=True, check=True).stderr
    names = {line.split('|')[-1].strip() for line in modules.splitlines()}
    assert 'argparse' in names
    assert not names & {'torch._C', 'mmengine.config.config', 'numpy.version'}


def test_status_and_messages_are_those_of_the_tool(capsys, tmp_path):
    arguments = ['usps', '--root', str(tmp_path), '--verify-only']
    status = ended('prepare', *arguments)
    told = capsys.readouterr()
    sys.argv = [str(TOOLS / 'prepare_data.py'), *arguments]
    with pytest.raises(SystemExit) as error:
        runpy.run_path(sys.argv[0], run_name='__main__')
    assert status == error.value.code != 0
    assert told == capsys.readouterr()


@pytest.mark.parametrize('arguments', [(), ('trian', ), ('--amp', )])
def test_what_is_no_command_is_refused(capsys, arguments):
    assert ended(*arguments) == 2
    told = capsys.readouterr().err
    assert 'mmgh: error:' in told and 'COMMAND' in told


def test_python_runs_the_package_as_the_command(capsys):
    sys.argv[1:] = ['--version']
    with pytest.raises(SystemExit) as error:
        runpy.run_module('mmgh', run_name='__main__')
    assert not error.value.code
    assert capsys.readouterr().out == f'{mmgh.__version__}\n'


def test_a_stop_while_torch_is_imported_is_told_in_a_word(tmp_path):
    (tmp_path / 'torch.py').write_text('raise KeyboardInterrupt')
    path = os.pathsep.join(map(str, (tmp_path, TOOLS.parent)))
    result = subprocess.run(
        [sys.executable, '-c', BESIDE, 'train',
         'dann/dann_lenet_1xb32-1k_digits-digits2digitsm.py'],
        capture_output=True, text=True, env={**os.environ, 'PYTHONPATH': path})
    assert (result.returncode, result.stderr) == (130, 'Stopped.\n')
