"""Look at what a network is trained on.

    mmgh browse CONFIG --out browse.png

The picture has images of both domains as the network gets them: after
augmentation and preprocessing, of which only the normalisation is undone. The
target has no labels in training. Instead of a config, a work directory or a
checkpoint shows what a run was trained on. The CSV beside the picture has the
class of each image.
"""
from __future__ import annotations

import sys
from pathlib import Path

# What tools share is in the folder above.
sys.path.insert(0, str(Path(__file__).parents[1]))
# Before anything of OpenMMLab: it may repair an import of theirs.
import mmgh  # noqa: F401

# isort: split
from expected_errors import one_line_errors
from options import add_cfg_options, add_seed_option, make_parser, positive

from mmgh.analysis import load_config, training_images
from mmgh.analysis.plots import save
from mmgh.analysis.plots.images import images_figure
from mmgh.analysis.tables import write_csv
from mmgh.input_error import InputError


@one_line_errors(InputError)
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
    save(images_figure(domains), args.out, args.dpi)
    table = args.out.with_suffix('.csv')
    write_csv(table, ('domain', 'position', 'class'),
              [(domain, i, name) for domain, shown in domains.items()
               for i, name in enumerate(shown.names, start=1)])
    print(f'Images: {args.out}\nClasses: {table}')


if __name__ == '__main__':
    main()
