"""Look at what a network is trained on.

    python tools/analysis/browse.py CONFIG --out browse.png

The picture has images of both domains as the network gets them: after
augmentation and preprocessing, of which only the normalisation is undone. The
target has no labels in training.
"""
from __future__ import annotations

import argparse
import textwrap
from pathlib import Path

# Before anything of OpenMMLab: it may repair an import of theirs.
import mmgh  # noqa: F401
from mmengine.config import Config, DictAction
from mmgh.analysis import TrainingImages, training_images
from mmgh.analysis.options import positive
from mmgh.analysis.plots import pyplot, save

# Letters that fit over an image.
NAME_WIDTH = 14


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='path of the config')
    parser.add_argument(
        '--out',
        type=Path,
        default=Path('browse.png'),
        help='PNG to write (default: browse.png)')
    parser.add_argument(
        '--number',
        type=positive,
        default=8,
        help='images of each domain (default: 8)')
    parser.add_argument(
        '--seed', type=int, default=0, help='of all that is random')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        help='override settings of the config, as for train.py')
    return parser.parse_args()


def plot(domains: dict[str, TrainingImages], path: Path) -> None:
    """A row per domain, a column per image."""
    number = len(domains['source'].images)
    figure, grid = pyplot.subplots(
        2,
        number,
        squeeze=False,
        figsize=(1.3 * number + 0.4, 3.2),
        layout='constrained')
    for row, (domain, shown) in zip(grid, domains.items()):
        row[0].set_ylabel(domain, fontsize=11)
        for i, (axes, image) in enumerate(zip(row, shown.images)):
            axes.imshow(image)
            axes.set(xticks=[], yticks=[])
            if shown.classes:
                name = textwrap.fill(shown.classes[i].replace('_', ' '),
                                     NAME_WIDTH)
                axes.set_title(name, fontsize=8)
    save(figure, path)


def main() -> None:
    args = parse_args()
    cfg = Config.fromfile(args.config)
    if args.cfg_options is not None:
        cfg.merge_from_dict(args.cfg_options)
    plot(training_images(cfg, args.number, args.seed), args.out)
    print(f'Images: {args.out}')


if __name__ == '__main__':
    main()
