"""Environments of the promised versions, and what came out in them."""
from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope='module')
def tool(load_tool):
    return load_tool('check_versions')


def test_oldest_versions_are_those_of_the_requirements(tool):
    """All bounds, and none twice."""
    oldest = dict(pin.split('==') for pin in tool.ENVIRONMENTS['oldest'][2])
    assert len(oldest) == 6
    for name in ('runtime', 'openmmlab', 'optional'):
        for package, bound in re.findall(
                r'^([\w-]+)>=([\d.]+)',
                (ROOT / f'requirements/{name}.txt').read_text(), re.M):
            assert oldest[package] == bound


def test_promised_pythons_are_tried(tool):
    """The first and the last of those that setup.py names."""
    first, last = re.search(r'range\((\d+), (\d+)\)',
                            (ROOT / 'setup.py').read_text()).groups()
    pythons = {int(e.python.split('.')[1]) for e in tool.ENVIRONMENTS.values()}
    assert (min(pythons), max(pythons)) == (int(first), int(last) - 1)


def test_workflow_tries_each_environment(tool):
    """With its Python; the `measured` one is that of all other tests."""
    text = (ROOT / '.github/workflows/test.yml').read_text()
    tried = dict(re.findall(r"ment: ([\w-]+), python: '([\d.]+)'", text))
    assert tried == {
        name: environment.python
        for name, environment in tool.ENVIRONMENTS.items()
        if name != 'measured'
    }


@pytest.mark.parametrize('summary, passed, failed, skipped', [
    ('3 failed, 20 passed, 1 skipped, 2 warnings, 4 errors in 8s', 20, 7, 1),
    ('20 passed, 65 deselected in 1084.29s (0:18:04)', 20, 0, 0),
    ('1 error in 0.50s', 0, 1, 0),
])
def test_results_are_counted(tool, summary, passed, failed, skipped):
    output = ('SKIPPED [1] 9 failed\n'
              f'==== {summary} ====\n'
              'leaked 3 passed')
    assert tool.count(output) == dict(
        passed=str(passed), failed=str(failed), skipped=str(skipped))


def test_missing_python_is_a_row_without_results(tool, tmp_path, monkeypatch,
                                                 capsys):
    monkeypatch.setitem(tool.ENVIRONMENTS, 'none', tool.Environment('2.99'))
    monkeypatch.setattr(sys, 'argv', ['', 'none', '--folder', str(tmp_path)])
    with pytest.raises(SystemExit, match='True'):
        tool.main()
    out = capsys.readouterr().out
    assert 'none: there is no Python 2.99.' in out
    assert '| none | - |' in out


def test_unknown_environment_is_refused(tool, monkeypatch, capsys):
    monkeypatch.setattr(sys, 'argv', ['', 'old'])
    with pytest.raises(SystemExit):
        tool.main()
    assert 'one of oldest, oldest-python' in capsys.readouterr().err
