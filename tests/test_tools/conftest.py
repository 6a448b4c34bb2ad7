"""Runs a tool as a user would, in this process."""
from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from ..processes import end_loader_workers
from .short_runs import SHORT, read

TOOLS = Path(__file__).parents[2] / 'tools'


@pytest.fixture(scope='session')
def load_tool():
    """``load_tool(name)`` gives ``tools/<name>.py`` as a module."""
    patch = pytest.MonkeyPatch()
    patch.syspath_prepend(str(TOOLS))

    def load(name: str):
        spec = importlib.util.spec_from_file_location(
            f"tool_{name.replace('/', '_')}", TOOLS / f'{name}.py')
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    yield load
    patch.undo()


@pytest.fixture(scope='session')
def tools(load_tool):
    """``tools(name, *args)`` runs ``tools/<name>.py``."""

    def run(name: str, *args) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, 'argv', [name, *map(str, args)])
            try:
                load_tool(name).main()
            finally:
                end_loader_workers()

    return run


@pytest.fixture(scope='session')
def train(tools):
    """``train(config, work_dir, ...)`` runs six iterations."""

    def run(config, work_dir: Path, *options: str, resume=False) -> dict:
        # Runs of one second would share MMEngine's logs without a name.
        name = f'experiment_name={work_dir.name}_{resume}'
        flags = ['--resume'] * resume
        tools('train', config, '--work-dir', work_dir, *flags,
              '--cfg-options', *SHORT, name, *options)
        return read(work_dir / 'iter_6.pth')

    return run
