"""Data that were moved, and whose folders are other classes now."""
from __future__ import annotations

import pytest

from ...test_datasets.layouts import write_folders
from .conftest import DIGITS

TARGET, SOURCE = 'test_dataloader.dataset', 'train_dataloader.dataset.source'


@pytest.fixture
def moved(tmp_path) -> str:
    """Folders whose label 0 is not the class 0 of the runs."""
    write_folders(tmp_path / 'moved', 1, [*DIGITS[1:], 'X'])
    return f'data_root={tmp_path / "moved"}'


@pytest.mark.parametrize('tool, setting, side', [
    ('per_class', f'{TARGET}.with_label=True {TARGET}', 'test'),
    ('tsne', f'{TARGET}.with_label=True {TARGET}', 'test'),
    ('a_distance', f'{TARGET}.with_label=True {TARGET}', 'test'),
    ('tsne', SOURCE, 'source'), ('a_distance', SOURCE, 'source')])
def test_other_classes_are_refused(tools, without_labels, moved, tmp_path,
                                   tool, setting, side):
    out = tmp_path / 'a.png'
    with pytest.raises(SystemExit, match='The training data and the '
                       rf"{side} data .*alone has \['0 - zero'\].*\['X'\]"):
        tools(f'analysis/{tool}', without_labels, '--out', out, '--device',
              'cpu', '--cfg-options', *f'{setting}.{moved}'.split())
    assert not out.exists()
