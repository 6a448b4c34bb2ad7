"""Options of `mmgh study folders`."""
from __future__ import annotations

import argparse
from pathlib import Path

from options import positive

NAME = Path('folders')
# Those that make another study; names of other options are of all studies.
SETTINGS = ('source', 'target', 'classifier', 'weights', 'pretrained',
            'target_labels', 'iterations', 'batch_size', 'image_size')


def add_folder_options(parser: argparse.ArgumentParser) -> None:
    """Let the user name two folders, and what to train on them."""
    group = parser.add_argument_group(
        'study folders',
        'for `mmgh study folders`: your images, <folder>/<class>/<image>; '
        'those of the target may all be in one folder, without labels')
    group.add_argument('--source', type=Path, help='folder with labels')
    group.add_argument('--target', type=Path, help='folder to adapt to')
    group.add_argument(
        '--no-target-labels',
        dest='target_labels',
        action='store_false',
        help='the folders of the target are no classes')
    group.add_argument(
        '--classifier',
        default='resnet50',
        help='such as resnet18, vit, another name of the zoo of mmpretrain, '
        'timm/NAME, or the config of one (default: resnet50)')
    group.add_argument(
        '--weights', help='file of its pretrained weights, for no connection')
    group.add_argument(
        '--no-pretrained',
        dest='pretrained',
        action='store_false',
        help='begin with random weights')
    group.add_argument(
        '--iterations',
        type=positive,
        default=2000,
        help='of each training (default: 2000)')
    group.add_argument(
        '--batch-size',
        type=positive,
        default=32,
        help='images of each domain (default: 32)')
    group.add_argument(
        '--image-size',
        type=positive,
        help='pixels on a side (default: of the classifier, at most 224)')


def check_folder_options(parser: argparse.ArgumentParser,
                         args: argparse.Namespace) -> None:
    """Refuse what goes with another study only; choose a name for --out."""
    if args.study != NAME:
        changed = [name for name in SETTINGS
                   if getattr(args, name) != parser.get_default(name)]
        if changed:
            option = _option(changed[0], getattr(args, changed[0]))
            parser.error(f'{option} is of `mmgh study folders`, but the '
                         f'study is {args.study}')
        return
    if not (args.source and args.target):
        parser.error('folders needs --source and --target')
    if args.weights and not args.pretrained:
        parser.error('--weights and --no-pretrained contradict each other')
    if args.out is None:
        args.out = Path('work_dirs') / '2'.join(
            folder.resolve().name for folder in (args.source, args.target))


def settings_of(args: argparse.Namespace) -> dict:
    """Return what makes another study, as text and numbers."""
    settings = {name: getattr(args, name) for name in SETTINGS}
    for name in ('source', 'target', 'weights'):
        if settings[name] is not None:
            settings[name] = str(Path(settings[name]).resolve())
    if Path(args.classifier).is_file():
        settings['classifier'] = str(Path(args.classifier).resolve())
    return settings


def _option(name: str, value: object) -> str:
    return f"--{'no-' * (value is False)}{name.replace('_', '-')}"
