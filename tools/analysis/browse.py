"""Look at what a network is trained on.

    python tools/analysis/browse.py CONFIG --out browse.png

The picture has images of both domains as the network gets them: after
augmentation and preprocessing, of which only the normalisation is undone. The
target has no labels in training. Instead of a config, a work directory or a
checkpoint shows what a run was trained on. The CSV beside the picture has the
class of each image.
"""
from __future__ import annotations

import textwrap
from pathlib import Path

# Before anything of OpenMMLab: it may repair an import of theirs.
import mmgh  # noqa: F401
from mmgh.analysis import TrainingImages, load_config, training_images
from mmgh.analysis.options import (add_cfg_options, add_seed_option,
                                   make_parser, positive)
from mmgh.analysis.plots import pyplot, save
from mmgh.analysis.tables import write_csv

# Letters that fit over an image.
NAME_WIDTH = 14


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
        for axes, image, name in zip(row, shown.images, names(shown)):
            axes.imshow(image)
            axes.set(xticks=[], yticks=[])
            axes.set_title(textwrap.fill(name, NAME_WIDTH), fontsize=8)
    save(figure, path)


def names(shown: TrainingImages) -> list[str]:
    """Of the classes; empty without labels."""
    return shown.classes or [''] * len(shown.images)


def main() -> None:
    parser = make_parser(__doc__, out='browse.png')
    parser.add_argument('config', type=Path, help='a config, or a run')
    parser.add_argument(
        '--number',
        type=positive,
        default=8,
        help='images of each domain (default: 8)')
    add_seed_option(parser)
    add_cfg_options(parser)
    args = parser.parse_args()
    cfg = load_config(args.config, args.cfg_options)
    domains = training_images(cfg, args.number, args.seed)
    plot(domains, args.out)
    table = args.out.with_suffix('.csv')
    write_csv(table, ('domain', 'position', 'class'),
              [(domain, i, name) for domain, shown in domains.items()
               for i, name in enumerate(names(shown), start=1)])
    print(f'Images: {args.out}\nClasses: {table}')


if __name__ == '__main__':
    main()
