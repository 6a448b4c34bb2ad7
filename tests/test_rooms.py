"""A file of its own is all that a new method needs."""
from __future__ import annotations

import importlib
import sys

import pytest

INIT = ('from mmgh.rooms import import_new_files\n'
        'from .old_head import OldHead as Old\n'
        '__all__ = ["Old"]\n'
        'import_new_files(__name__)\n')
FILES = {
    '__init__': INIT,
    'old_head': 'class OldHead: pass\n',
    'new_head': 'class NEWHead: pass\nclass Other: pass\n',
    'plus_one': 'def plus_one(x): return x + 1\n',
    'steps': 'from .new_head import NEWHead\nSEEN = [NEWHead]\n',
}


@pytest.fixture
def room(tmp_path, monkeypatch):
    """``room()`` imports a package of these files, of which one is named."""
    monkeypatch.syspath_prepend(str(tmp_path))
    package = tmp_path / 'a_room'
    package.mkdir()
    for name, text in FILES.items():
        (package / f'{name}.py').write_text(text)
    yield lambda: importlib.import_module('a_room')
    for name in [name for name in sys.modules if name.startswith('a_room')]:
        del sys.modules[name]


def test_every_file_is_imported_and_gives_what_it_is_named_after(room):
    package = room()
    assert package.NEWHead.__module__ == 'a_room.new_head'
    assert package.plus_one(1) == 2
    seen, = package.steps.SEEN
    assert seen is package.NEWHead
    assert sorted(package.__all__) == ['NEWHead', 'Old', 'OldHead', 'plus_one']


def test_an_error_in_a_new_file_is_not_hidden(room, tmp_path):
    (tmp_path / 'a_room/broken.py').write_text('1 / 0')
    with pytest.raises(ZeroDivisionError):
        room()
