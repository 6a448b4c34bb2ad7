"""Options that several tools have."""
from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest
from mmengine.config import Config


@pytest.fixture
def parser(load_tool) -> argparse.ArgumentParser:
    options = load_tool('options')
    parser = options.make_parser('Description.', out='a.png')
    parser.add_argument('--page', type=options.output_file)
    options.add_cfg_options(parser)
    return parser


def test_options_have_the_values_of_the_config(parser):
    args = parser.parse_args(['--cfg-options', 'a.b=/new', 'c=[1,2]',
                              'd=best_{}.pth', 'e={}.pth'])
    assert args.cfg_options == {'a.b': '/new', 'c': [1, 2],
                                'd': 'best_{}.pth', 'e': '{}.pth'}
    assert args.out == Path('a.png') and parser.parse_args(
        []).cfg_options is None


@pytest.mark.parametrize('value, told', [
    ('a', "settings should be NAME=VALUE, but got 'a'"),
    ('a=[1,', 'Imbalanced brackets'),
    ('a=[1],[2]', 'the lists of .* should be written as in'),
    ("a=[{'type':'EMAHook','momentum':0.1}]", 'should have no dict, .*file'),
    ('a=[1,{"type": 2}]', 'should have no dict'),
    ("a={'type':'EMAHook'}", 'should have no dict'), ('a={}', 'no dict'),
    ("a=[dict(type='EMAHook')]", 'should have no dict')])
def test_a_slip_in_a_setting_is_told(parser, capsys, value, told):
    with pytest.raises(SystemExit):
        parser.parse_args(['--cfg-options', 'b=1', value])
    assert re.search(f'argument --cfg-options: .*{told}',
                     capsys.readouterr().err)


@pytest.mark.parametrize('option', ['--out', '--page'])
def test_a_folder_is_no_file_to_write(parser, tmp_path, capsys, option):
    folder = tmp_path / 'a.png'
    folder.mkdir()
    with pytest.raises(SystemExit):
        parser.parse_args([option, str(folder)])
    error = capsys.readouterr().err.splitlines()[-1]
    assert f'{option}: should be a file to write, but {folder} is a' in error


@pytest.mark.parametrize('suffix', ['png', 'pdf', 'svg'])
def test_a_picture_is_of_these_kinds(parser, suffix):
    args = parser.parse_args(['--out', f'a.{suffix}', '--dpi', '300'])
    assert args.out == Path(f'a.{suffix}') and args.dpi == 300


def test_no_other_file_is_a_picture(parser, tmp_path, capsys):
    assert parser.parse_args(['--page', 'new/a.html']).page.name == 'a.html'
    with pytest.raises(SystemExit):
        parser.parse_args(['--out', 'new/a.html'])
    assert ("end in .png, .pdf, .svg, but is 'new/a.html'"
            in capsys.readouterr().err)


@pytest.mark.parametrize('scope, collate', [
    ('mmpretrain', 'default_collate'), (None, 'default_collate'),
    ('mmseg', 'pseudo_collate'), ('mmdet', 'pseudo_collate')])
def test_batches_are_made_as_by_the_package_of_the_config(
        load_tool, scope, collate):
    own = dict(collate_fn=dict(type='my_own'))
    cfg = Config(dict(train_dataloader={}, val_dataloader=own))
    if scope:
        cfg.default_scope = scope
    load_tool('command_line').set_loader_defaults(cfg, True, True)
    assert cfg.train_dataloader.collate_fn.type == collate
    assert cfg.val_dataloader.collate_fn.type == 'my_own'
