"""Options that several tools have."""
from __future__ import annotations

import argparse
from pathlib import Path

import pytest


@pytest.fixture
def parser(load_tool) -> argparse.ArgumentParser:
    options = load_tool('options')
    parser = options.make_parser('Description.', out='a.png')
    parser.add_argument('--page', type=options.output_file)
    options.add_cfg_options(parser)
    return parser


def test_options_have_the_values_of_the_config(parser):
    args = parser.parse_args(['--cfg-options', 'a.b=/new', 'c=[1,2]'])
    assert args.cfg_options == {'a.b': '/new', 'c': [1, 2]}
    assert args.out == Path('a.png') and parser.parse_args(
        []).cfg_options is None


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
