"""The picture and the names of tools/analysis/browse.py."""
from __future__ import annotations

import csv
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from PIL import Image

from mmgh.analysis import training_images
from ..test_datasets.layouts import write_folders

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


def test_names_are_in_the_csv_also_those_of_a_run(tools, tmp_path):
    config = CONFIGS / f'dann/dann_{NAME}'
    run = tmp_path / 'run.pth'
    cfg = Config.fromfile(config)
    torch.save(dict(state_dict={}, meta=dict(cfg=cfg.pretty_text)), run)
    shown = training_images(cfg, 5, seed=3)['source'].classes
    for path in (config, run):
        tools('analysis/browse', path, '--out', tmp_path / 'a.png',
              '--number', 5, '--seed', 3)
        with open(tmp_path / 'a.csv', newline='') as file:
            lines = list(csv.reader(file))
        assert lines == [
            ['domain', 'position', 'class'],
            *(['source', str(i + 1), name] for i, name in enumerate(shown)),
            *(['target', str(i + 1), ''] for i in range(5))
        ]


def test_missing_config_is_refused(tools, tmp_path):
    with pytest.raises(SystemExit, match='nowhere.py should be a config that '
                       'is there'):
        tools('analysis/browse', tmp_path / 'nowhere.py')


def test_data_that_have_moved_are_named(tools, tmp_path):
    write_folders(tmp_path / 'source', 2)
    name = 'train_dataloader.dataset.target'
    with pytest.raises(SystemExit) as error:
        tools('analysis/browse',
              CONFIGS / 'folders/dann-ghpp_resnet18_folders.py', '--out',
              tmp_path / 'a.png', '--cfg-options', f'{name}.data_root=gone',
              f'train_dataloader.dataset.source.data_root={tmp_path}/source')
    message = str(error.value)
    assert "target domain" in message and "'gone/'" in message
    assert f'{name}.data_root=...' in message and '\n' not in message


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
