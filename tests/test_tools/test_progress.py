"""What tools show while they are at work, where somebody looks."""
from __future__ import annotations

from importlib import import_module

import pytest


def shown(capsys) -> str:
    told = capsys.readouterr()
    assert not told.out
    return told.err


@pytest.fixture
def progress(load_tool):
    return import_module('progress')


@pytest.fixture(params=[False, True], ids=['a file', 'a terminal'])
def is_terminal(request, monkeypatch) -> bool:
    for name in ('FORCE_COLOR', 'TTY_COMPATIBLE', 'TTY_INTERACTIVE'):
        monkeypatch.delenv(name, raising=False)
    if request.param:
        monkeypatch.setenv('FORCE_COLOR', '1')
    return request.param


def test_work_without_parts_is_shown_on_a_terminal_only(
        progress, is_terminal, capsys):
    with progress.working('to [ONNX]'):
        pass
    assert ('to [ONNX]' in shown(capsys)) == is_terminal


def test_steps_are_shown_on_a_terminal_only(progress, is_terminal, capsys):
    assert list(progress.track('abc', 'letters')) == ['a', 'b', 'c']
    told = shown(capsys)
    assert ('letters' in told) == ('3/3' in told) == is_terminal


def test_work_that_fails_leaves_the_terminal(progress, is_terminal, capsys):
    with pytest.raises(ValueError, match='no'), progress.working('work'):
        raise ValueError('no')
    with progress.working('other work'):
        pass
    assert ('other work' in shown(capsys)) == is_terminal
