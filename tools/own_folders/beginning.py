"""What is done before the first training of two folders."""
from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from image_check import look_at_all

from mmgh.analysis import distinct_names
from mmgh.atomic_files import write_atomically
from .classifier import backends_of, build_classifier, find_classifier
from .configs import write_configs
from .domains import Pair, check_folders, has_labels, make_pair
from .inputs import compare_inputs, inputs_of
from .listing import list_images

# With so many the user has thought of the time.
FEW = 500
SLOW = '''\
There is no GPU. For an answer in less time: --classifier resnet18 or
mobilenet-v3-small, --image-size 128, --iterations 500, --methods DANN,
--seeds 0 1; stop whenever you like, and go on with the same command.'''


def begin(args: argparse.Namespace) -> Path:
    """Check images and classifier, and write the study; or read it, where
    that was done before.

    Returns:
        Path: Config of the study.

    Raises:
        InputError: If the folders, the classifier or what is there already
            do not fit.
    """
    listings = [list_images(folder) for folder in (args.source, args.target)]
    settings = inputs_of(args, *listings)
    folder = (args.out / 'configs').resolve()
    if not is_begun(args.out):
        _write(args, folder, listings)
        # The last file: without it all is done again.
        write_atomically(folder / 'settings.json',
                         json.dumps(settings, indent=2).encode())
    compare_inputs(folder, settings)
    images = read_images(args.out)
    print('\n'.join([
        f"{images['source']} images of {len(images['classes'])} classes in "
        f"the source, {images['target']} in the target.",
        *images['notes'], f'Configs: {folder}'
    ]))
    if not torch.cuda.is_available() and args.iterations > FEW:
        print(SLOW)
    print(flush=True)
    return folder / 'study.py'


def is_begun(out: Path) -> bool:
    """Tell whether a folder has a study of two folders."""
    return (out / 'configs/settings.json').exists()


def read_settings(out: Path) -> dict:
    """Read the options that a study was begun with."""
    return json.loads((out / 'configs/settings.json').read_text())


def read_images(out: Path) -> dict:
    """Read what was found of the images: ``classes``, numbers of images of
    ``source`` and ``target``, these by class, and ``notes``."""
    return json.loads((out / 'configs/images.json').read_text())


def _write(args: argparse.Namespace, folder: Path, listings: list) -> None:
    check_folders(*listings)
    labelled = has_labels(*listings, args.target_labels)
    found = find_classifier(args.classifier, args.image_size)
    classifier = build_classifier(found, args.pretrained, args.weights)
    if classifier.state is None:
        print(f'{args.classifier} begins with random weights.')
    paths = [listing.folder / image for listing in listings
             for image in listing.images]
    print(f'{len(paths)} images are checked.', flush=True)
    pair = make_pair(*listings, labelled,
                     dict(zip(paths, look_at_all(
                         paths, 'images', backends=backends_of(found)))))
    folder.mkdir(parents=True, exist_ok=True)
    name = ' -> '.join(distinct_names([args.source, args.target]))
    write_configs(folder, name, pair, classifier,
                  dict(iterations=args.iterations, batch_size=args.batch_size))
    write_atomically(folder / 'images.json',
                     json.dumps(_summary(pair), indent=2).encode())


def _summary(pair: Pair) -> dict:
    of_source, of_target = pair.source.counts(), pair.target.counts()
    counts = {
        name: (of_source[label],
               None if pair.target.labels is None else of_target[label])
        for label, name in enumerate(pair.classes)
    }
    return dict(
        classes=counts,
        source=len(pair.source.images),
        target=len(pair.target.images),
        has_target_labels=pair.target.labels is not None,
        notes=pair.notes)
