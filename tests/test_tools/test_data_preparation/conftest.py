"""The package behind tools/prepare_data.py, and a server for it."""
from __future__ import annotations

import importlib
from dataclasses import replace

import pytest

from .local_server import serve
from .miniatures import publish, shrink


@pytest.fixture(scope='session')
def package(load_tool):
    """``data_preparation`` with all its modules."""
    load_tool('prepare_data')
    return importlib.import_module('data_preparation')


@pytest.fixture
def server(tmp_path):
    with serve(tmp_path / 'served') as server:
        yield server


@pytest.fixture(autouse=True)
def impatience(package, monkeypatch):
    monkeypatch.setattr(package.download, 'PAUSE', 0)
    monkeypatch.setattr(package.download, 'CHUNK', 1000)


@pytest.fixture
def records(package):
    return package.data_sets.DATA_SETS


@pytest.fixture
def mini(package, records, server, tmp_path):
    """``mini(name)`` publishes a miniature and gives its preparation."""

    def make(name, wrapped_in='', **changes):
        data_set = shrink(records[name], server.url)
        publish(data_set, server.folder, wrapped_in)
        return package.prepare.Preparation(
            replace(data_set, **changes), tmp_path / 'root')

    return make


@pytest.fixture
def office(mini):
    """A complete miniature of Office-31."""
    preparation = mini('office31')
    preparation.complete()
    return preparation
