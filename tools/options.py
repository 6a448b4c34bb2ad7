"""Options that several tools have."""
from __future__ import annotations

import argparse
import re
from pathlib import Path

import torch
from mmengine.config import DictAction

# A value, or an item of it, that begins as a dict; `iter_{}.pth` is a text.
_DICT = re.compile(r'''[=\[(,]\s*["']?\s*(\{\s*["']|\{\}$|dict\()''')
PICTURES = ('.png', '.pdf', '.svg')


def make_parser(description: str, out: str) -> argparse.ArgumentParser:
    """Make a parser with ``--out`` and ``--dpi``.

    Args:
        description (str): Docstring of the script.
        out (str): Default name of the picture.
    """
    parser = argparse.ArgumentParser(
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        '--out',
        type=picture_file,
        default=Path(out),
        help='PNG, PDF or SVG to write, with the numbers beside it as CSV '
        f'(default: {out})')
    parser.add_argument(
        '--dpi',
        type=positive,
        default=120,
        help='pixels per inch of a PNG (default: 120)')
    return parser


def add_image_options(parser: argparse.ArgumentParser) -> None:
    """Let the user say which images of both domains to look at."""
    parser.add_argument(
        '--max-images',
        type=positive,
        default=500,
        help='draw at most so many of each domain (default: 500)')
    add_seed_option(parser)


def add_seed_option(parser: argparse.ArgumentParser) -> None:
    """Let the user make a drawing come again."""
    parser.add_argument(
        '--seed', type=int, default=0, help='of all that is random')


def add_device_option(parser: argparse.ArgumentParser) -> None:
    """Let the user say where to run the model."""
    parser.add_argument(
        '--device',
        type=_device,
        default='cuda' if torch.cuda.is_available() else 'cpu',
        help='such as cpu or cuda:0 (default: a GPU, if there is one)')


class _Settings(DictAction):
    """``NAME=VALUE``, of which a slip is told in a line."""

    def __call__(self, parser, namespace, values, option_string=None) -> None:
        for value in values:
            if not value.partition('=')[1]:
                parser.error(f'argument {option_string}: settings should be '
                             f'NAME=VALUE, but got {value!r}.')
            if _DICT.search(value):
                parser.error(f'argument {option_string}: {value!r} should '
                             'have no dict, which is not read from here: '
                             'write it into the config file.')
        try:
            super().__call__(parser, namespace, values, option_string)
        except AssertionError as error:
            parser.error(f'argument {option_string}: {error}')
        except RecursionError:  # as of [1],[2], which has no bracket around
            parser.error(f'argument {option_string}: the lists of {values} '
                         'should be written as in [[1,2],[3]].')


def add_cfg_options(parser: argparse.ArgumentParser,
                    example: str = 'test_dataloader.dataset.data_root=FOLDER '
                    'for data that have moved') -> None:
    """Let the user replace settings of the config.

    Args:
        parser (argparse.ArgumentParser): Gets ``--cfg-options``.
        example (str): A setting that one may want to replace.
    """
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=_Settings,
        help=f'replace settings of the config, such as {example}')


def add_metric_option(parser: argparse.ArgumentParser) -> None:
    """Let the user say what the log calls the accuracy."""
    parser.add_argument(
        '--metric',
        help='target accuracy in the log (default: accuracy/top1, or '
        'oracle/accuracy/top1)')


def output_file(text: str) -> Path:
    """Accept a file to write; it may exist."""
    path = Path(text)
    if path.is_dir():
        raise argparse.ArgumentTypeError(
            f'should be a file to write, but {text} is a folder')
    return path


def picture_file(text: str) -> Path:
    """Accept a picture to write; it may exist."""
    path = output_file(text)
    if path.suffix not in PICTURES:
        raise argparse.ArgumentTypeError(
            f"should end in {', '.join(PICTURES)}, but is {text!r}")
    return path


def positive(text: str) -> int:
    """Accept a whole number of at least 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(
            f'should be a whole number of at least 1, but is {text!r}')
    return int(text)


def _device(text: str) -> str:
    try:
        torch.empty(0, device=text)
    except Exception as error:  # torch names no common type
        raise argparse.ArgumentTypeError(
            f'should be a device that torch finds, but is {text!r}') from error
    return text
