"""tools/benchmarks/image_cache.py: it times what it says."""
from __future__ import annotations

import re

from ..test_datasets.layouts import write_folders


def test_table_has_a_line_an_epoch(tools, tmp_path, capsys):
    write_folders(tmp_path, 2)
    tools('benchmarks/image_cache', tmp_path, '--epochs', 3)
    head, *_, end = capsys.readouterr().out.strip().splitlines()
    assert head.startswith('6 images of')
    # Which of the two is faster is not to be tested.
    assert re.fullmatch(r'Ratio, median: \d+\.\d\d', end)


def test_each_epoch_has_all_images(load_tool):
    tool = load_tool('benchmarks/image_cache')
    seen = []

    class Images(list):

        def __getitem__(self, i):
            seen.append(i)

    assert tool.milliseconds(Images('abc')) > 0
    assert seen == [0, 1, 2]
