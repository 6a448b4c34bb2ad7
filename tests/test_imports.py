"""Imports point one way, and types are found by their names."""
from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest
from mmengine import registry
from mmengine.registry import DefaultScope

from .registered_classes import PACKAGE, REGISTERED

FOUNDATION = {
    'arguments', 'atomic_files', 'checkpoints', 'class_names',
    'classifier_outputs', 'compat', 'config_data', 'config_errors',
    'config_file', 'config_names', 'config_place', 'config_source',
    'config_text', 'config_values', 'default_hooks', 'divergence',
    'feature_files', 'feature_network', 'image_names', 'input_error', 'nested',
    'plain_data', 'registered_types', 'registry', 'rooms', 'seeds',
    'task_losses', 'unread_names', 'untrusted_files', 'unwrap', 'version'
}
MAY_IMPORT = {
    'command': set(),
    'gradients': set(),
    'harmonizers': FOUNDATION | {'gradients'},
    'optim': FOUNDATION | {'gradients'},
    'models': FOUNDATION,
    'datasets': FOUNDATION,
    'hooks': FOUNDATION | {'datasets', 'evaluation'},
    'evaluation': FOUNDATION,
    'analysis': FOUNDATION,
    'deployment': FOUNDATION | {'models'},
}


def imported_parts(path: Path) -> set[str]:
    """First-level parts of mmgh that a file imports."""
    parts = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [f'{node.module}.{alias.name}' for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        parts |= {
            name.split('.')[1]
            for name in names if name.startswith('mmgh.')
        }
    return parts


@pytest.mark.parametrize('part', MAY_IMPORT)
def test_parts_import_only_what_is_below_them(part):
    files = list((PACKAGE / part).rglob('*.py'))
    assert files
    for path in files:
        assert imported_parts(path) <= MAY_IMPORT[part] | {part}, path


def test_optional_packages_are_imported_by_what_needs_them_alone():
    """Nothing of classification asks for mmseg or mmdet."""
    for path in PACKAGE.rglob('*.py'):
        for node in ast.parse(path.read_text()).body:
            text = ast.unparse(node) if isinstance(
                node, (ast.Import, ast.ImportFrom)) else ''
            assert 'mmseg' not in text and 'mmdet' not in text, path


def is_there(module: str, name: str) -> bool:
    try:
        return hasattr(importlib.import_module(module), name) or bool(
            importlib.import_module(f'{module}.{name}'))
    except ModuleNotFoundError:
        return False


def test_names_that_are_imported_exist():
    """Also those of a tool that no quick test starts."""
    imported = {
        (node.module, alias.name, path)
        for folder in ('mmgh', 'tools', 'tests')
        for path in (PACKAGE.parent / folder).rglob('*.py')
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.level == 0
        and node.module.split('.')[0] == 'mmgh' for alias in node.names
    }
    assert imported
    missing = [f'{path}: from {module} import {name}'
               for module, name, path in imported
               if not is_there(module, name)]
    assert not missing, '\n'.join(missing)


def run_python(code: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, '-c', code],
                          cwd=PACKAGE.parent,
                          capture_output=True,
                          text=True)


@pytest.fixture(scope='module')
def modules_that_harmonize() -> list[str]:
    """All that a fresh process has imported with them."""
    result = run_python(
        'import mmgh.harmonizers, mmgh.optim, sys; print(*sys.modules)')
    assert result.returncode == 0, result.stderr
    return result.stdout.split()


def test_importing_mmgh_costs_little_more_than_torch_and_mmengine():
    """Of what it imports besides, at most a tenth is ours to answer for."""
    result = run_python(
        'import sys, torch, mmengine; before = set(sys.modules)\n'
        'import mmgh; print(len(before)); print(*set(sys.modules) - before)')
    assert result.returncode == 0, result.stderr
    before, added = result.stdout.splitlines()
    others = [n for n in added.split() if n.split('.')[0] != 'mmgh']
    assert len(added.split()) <= int(before) / 10
    for package in ('mmcv', 'mmpretrain', 'torch', 'torchvision'):
        assert package not in {name.split('.')[0] for name in others}


@pytest.mark.parametrize('order', [
    'import mmgh; import mmengine.runner', 'import mmengine.runner, mmgh',
    'import mmgh.config_names', 'from mmgh.hooks.resuming import *'])
def test_runners_are_extended_whoever_imports_them_first(order):
    result = run_python(
        f'{order}\n'
        'from mmengine.runner import *\n'
        'from mmgh.untrusted_files import load_from_local\n'
        'for kind in (Runner, FlexibleRunner):\n'
        '    assert hasattr(kind.register_hooks, "_before_mmgh")\n'
        'assert CheckpointLoader._schemes[""] is load_from_local')
    assert result.returncode == 0, result.stderr


def test_what_is_imported_later_is_an_attribute_at_once():
    result = run_python(
        'import mmgh, sys; assert "mmgh.optim" not in sys.modules\n'
        'from mmgh import *\n'
        'assert harmonize is mmgh.harmonize is mmgh.optim.harmonize\n'
        'assert harmonizers.GH is mmgh.harmonizers.GH\n'
        'assert not hasattr(mmgh, "harmonise")')
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize('package', ['mmcv', 'mmpretrain', 'torchjd'])
def test_harmonizing_does_not_import(modules_that_harmonize, package):
    assert 'torch' in modules_that_harmonize
    assert package not in modules_that_harmonize


@pytest.mark.parametrize('missing', ['mmcv', 'mmpretrain'])
def test_missing_dependency_is_named(missing):
    """In a fresh process: what mmgh registers with MMEngine stays there."""
    result = run_python(
        f'import sys; sys.modules[{missing!r}] = None; import mmgh.models')
    assert result.returncode
    assert re.search(f'RuntimeError: mmgh needs {missing}>=.*`openmmlab`',
                     result.stderr)


def test_types_are_found_without_custom_imports_and_without_a_warning():
    """In a fresh process, under the scope that our configs set."""
    lookups = ''.join(
        f'assert registry.{kind}.get("mmgh.{name}"), '
        f'"Import {name} of {file} in the `__init__.py` beside it."\n'
        for kind, name, file in REGISTERED)
    result = run_python(
        'import mmgh\n'
        'from mmengine import registry\n'
        'registry.init_default_scope("mmpretrain")\n' + lookups)
    assert result.returncode == 0, result.stderr
    assert 'WARNING' not in result.stdout + result.stderr


@pytest.mark.parametrize('scope', ['mmpretrain', 'mmengine'])
@pytest.mark.parametrize('item', REGISTERED, ids=lambda item: item.name)
def test_types_are_found_from_other_scopes(scope, item):
    with DefaultScope.overwrite_default_scope(scope):
        found = getattr(registry, item.registry).get(f'mmgh.{item.name}')
    assert found is item.load(), (
        f'Import {item.name} of {item.file} in the `__init__.py` beside it.')
