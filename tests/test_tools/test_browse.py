"""The picture of tools/analysis/browse.py."""
from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

CONFIGS = Path(__file__).parents[2] / 'configs'
NAME = 'lenet_1xb32-1k_digits-digits2digitsm.py'


def test_a_column_per_image(tools, tmp_path):
    widths = []
    for number in (3, 6):
        path = tmp_path / f'new/{number}.png'
        tools('analysis/browse', CONFIGS / f'dann/dann_{NAME}', '--out', path,
              '--number', number)
        widths.append(Image.open(path).width)
    assert widths[0] < widths[1]


def test_options_change_the_config(tools, tmp_path):
    pictures = []
    for padding in (0, 6):
        path = tmp_path / f'{padding}.png'
        options = [
            f'train_dataloader.dataset.{domain}.pipeline.0.padding={padding}'
            for domain in ('source', 'target')
        ]
        tools('analysis/browse', CONFIGS / f'dann/dann_{NAME}', '--out', path,
              '--number', 2, '--cfg-options', *options)
        pictures.append(path.read_bytes())
    assert pictures[0] != pictures[1]


def test_a_single_domain_is_refused(tools, tmp_path):
    with pytest.raises(SystemExit, match='a domain pair.* is a mmgh.Digits'):
        tools('analysis/browse', CONFIGS / f'source_only/source-only_{NAME}',
              '--out', tmp_path / 'browse.png')
