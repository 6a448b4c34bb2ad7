r"""Run the backbone of a classifier over images once, and keep its features.

    mmgh extract CONFIG --out data/features/mine \
        data/mine/source data/mine/target

A training on them takes seconds: mmgh.FeatureFolder reads them, and
configs/features has configs. CONFIG is one of any classifier of mmpretrain,
or the RUN of a training: a work directory or a checkpoint. Of the classifier
count the backbone, the neck, and the test pipeline. The weights are those of
the RUN, of --checkpoint, or those that the CONFIG starts from.

DATA are folders of images, <folder>/<class>/<image>; without folders of
classes they have no labels. Each becomes a domain with the name of the
folder, or with that before the =. Run the tool again after an interruption:
it goes on where it was. A folder of features only takes in domains of one
network. Images that cannot be read are named and left out; then the exit
status is 1. Images that were replaced, repaired or added since are extracted
by running it again.
"""
from __future__ import annotations

import argparse
import platform
import sys
from pathlib import Path

# Before anything of OpenMMLab: it may repair an import of theirs.
import mmgh

# isort: split
import mmpretrain
import torch
from expected_errors import one_line_errors
from feature_extraction.extraction import Extraction
from feature_extraction.image_views import ImageViews
from feature_extraction.networks import (build_network, feature_config,
                                         feature_size, read_weights)
from mmengine.registry import init_default_scope
from options import add_cfg_options, add_device_option, positive
from torch import nn

from mmgh.analysis import load_trained
from mmgh.analysis.trained_model import CONFIG_SUFFIXES
from mmgh.config_data import without_initialisation
from mmgh.config_file import read_config
from mmgh.deployment.known_types import check_known_types
from mmgh.feature_network import FeatureNetwork, read_digest, write_network
from mmgh.input_error import InputError


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        'config', metavar='CONFIG|RUN', help='of the classifier')
    parser.add_argument(
        'data',
        nargs='+',
        metavar='DATA',
        help='FOLDER or NAME=FOLDER of the images of a domain')
    parser.add_argument(
        '--out', type=Path, required=True, help='folder of features')
    parser.add_argument('--checkpoint', help='weights, of the backbone or all')
    parser.add_argument(
        '--views',
        type=positive,
        default=4,
        help='of each image: the test pipeline once, and the train pipeline '
        'for the others (default: 4)')
    parser.add_argument(
        '--seed', type=int, default=0, help='of the train pipeline')
    parser.add_argument(
        '--batch-size',
        type=positive,
        default=32,
        help='images at a time (default: 32)')
    parser.add_argument(
        '--workers',
        type=int,
        default=0,
        help='processes that read images (default: 0, this one)')
    add_device_option(parser)
    add_cfg_options(parser)
    return parser.parse_args()


def named_folders(data: list[str]) -> dict[str, Path]:
    """The folder of each domain."""
    folders: dict[str, Path] = {}
    for text in data:
        name, _, path = text.rpartition('=')
        name = name or Path(path).resolve().name
        if name in folders:
            raise InputError(
                f'Domains should have different names, but {folders[name]} '
                f'and {path} are both {name!r}. Write NAME=FOLDER.')
        if not Path(path).is_dir():
            raise InputError(f'{path} should be a folder of images, but is '
                             'none.')
        folders[name] = Path(path)
    return folders


def load_network(args: argparse.Namespace) -> tuple[nn.Module, FeatureNetwork]:
    """What makes the features, and how it is told."""
    path = Path(args.config)
    weights = None
    if path.suffix in CONFIG_SUFFIXES and not path.is_dir():
        cfg = read_config(path, args.cfg_options)
    else:
        trained = load_trained(path, args.cfg_options)
        cfg, weights = trained.cfg, trained.weights
    init_default_scope(cfg.get('default_scope', 'mmpretrain'))
    if args.checkpoint is not None:
        weights = read_weights(args.checkpoint)
    config = feature_config(cfg)
    model = build_network(config['model'], weights)
    config.update(
        model=without_initialisation(config['model']),
        views=args.views,
        seed=args.seed)
    check_known_types(config['model'],
                      [config['test_pipeline'], config['train_pipeline']])
    return model, FeatureNetwork(config, model.state_dict())


def prepare_folder(folder: Path, network: FeatureNetwork) -> None:
    """Write the network, or refuse a folder of another one."""
    there, digest = read_digest(folder), network.digest
    if there == digest:
        return
    if there is not None:
        raise InputError(
            f'The features in {folder} should be of one network, but that of '
            f'those that are there is {there}, and this is {digest}: weights, '
            'config, views or seed differ. Name another folder.', 'out')
    folder.mkdir(parents=True, exist_ok=True)
    write_network(folder, network, versions())


def versions() -> dict[str, str]:
    found = dict(
        mmgh=mmgh.__version__,
        torch=torch.__version__,
        mmpretrain=mmpretrain.__version__,
        python=platform.python_version())
    if 'timm' in sys.modules:
        found['timm'] = sys.modules['timm'].__version__
    return found


def extract(args: argparse.Namespace) -> int:
    """Extract all domains; return how many images cannot be read."""
    folders = named_folders(args.data)
    model, network = load_network(args)
    domains = {
        name: ImageViews(folder, network.config)
        for name, folder in folders.items()
    }
    shape = next(iter(domains.values())).shape
    size = feature_size(model, shape)
    prepare_folder(args.out, network)
    model.to(args.device)
    broken = 0
    for name, images in domains.items():
        extraction = Extraction(args.out, name, images, network.digest,
                                (args.views, size))
        tell_of_changes(extraction)
        if extraction.find_complete():
            print(f'{name}: all {len(extraction.known)} images are there '
                  'already.')
        else:
            rate = extraction.run(model, args.batch_size, args.workers)
            print(f'{name}: {len(images)} images, {args.views} views of '
                  f'{size} numbers, {rate:.1f} images/s')
        for row, reason in extraction.broken.items():
            print(f'{images.paths[row]} is left out: {reason}')
        broken += len(extraction.broken)
    return broken


def tell_of_changes(extraction: Extraction) -> None:
    """Say which images are others than those that have features, or that it
    is not known."""
    changed = extraction.changed
    if changed:
        print(f'{extraction.domain}: {len(changed)} images are others than '
              f'before, such as {changed[0]}.')
    if extraction.known and not extraction.are_compared:
        print(f'{extraction.domain}: features are those of the same names. '
              'Whether these are still the same images was not noted when '
              'they were extracted.')


@one_line_errors(InputError)
def main() -> None:
    args = parse_args()
    broken = extract(args)
    print(f'Features: {args.out}')
    if broken:
        raise SystemExit(f'{broken} images cannot be read.')


if __name__ == '__main__':
    main()
