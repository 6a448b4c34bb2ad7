"""Runs a tool as a user would, in this process."""
from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[2] / 'tools'


@pytest.fixture(scope='module')
def tools():
    """``tools(name, *args)`` runs ``tools/<name>.py``."""
    patch = pytest.MonkeyPatch()
    patch.syspath_prepend(str(TOOLS))

    def run(name: str, *args) -> None:
        spec = importlib.util.spec_from_file_location(
            f"tool_{name.replace('/', '_')}", TOOLS / f'{name}.py')
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        patch.setattr(sys, 'argv', [name, *map(str, args)])
        module.main()

    yield run
    patch.undo()
