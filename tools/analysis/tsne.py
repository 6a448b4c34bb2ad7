"""Features of both domains in a plane, before and after adaptation.

    mmgh tsne RUN --before RUN --out tsne.png

A run is a work directory or a checkpoint; the one before is trained on the
source only, or an earlier checkpoint, has the same classes, and is shown the
data of RUN, to which --cfg-options belong: of the source the training images,
of the target the test images. Each run has a t-SNE of its own, of the input of
its last layer. Target labels, if there are any, only colour the points.
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
from options import (add_cfg_options, add_device_option, add_image_options,
                     make_parser)
from progress import track, working

from mmgh.analysis import (check_classes, distinct_names, domain_datasets,
                           load_trained, outputs_of_domains)
from mmgh.analysis.plots import save
from mmgh.analysis.plots.embedding import tsne_figure
from mmgh.analysis.tables import write_csv
from mmgh.analysis.tsne import Embedding, check_perplexity, embed
from mmgh.input_error import InputError

HEADER = ('run', 'domain', 'index', 'class', 'x', 'y')


def rows(run: str, domains: dict[str, Embedding],
         classes: list[str]) -> list[tuple]:
    """Make the lines of the CSV; without labels the class is empty."""
    lines = []
    for domain, embedding in domains.items():
        names = [''] * len(embedding.points)
        if embedding.labels is not None:
            names = [classes[label] for label in embedding.labels]
        lines += [(run, domain, index, name, *point) for index, name, point
                  in zip(embedding.indices, names, embedding.points.tolist())]
    return lines


@one_line_errors(InputError)
def main() -> None:
    parser = make_parser(__doc__, out='tsne.png')
    parser.add_argument('run', type=Path, help='adapted')
    parser.add_argument('--before', type=Path, help='run to compare with')
    parser.add_argument(
        '--perplexity',
        type=float,
        default=30,
        help='about how many neighbours a point has (default: 30)')
    add_image_options(parser)
    add_device_option(parser)
    add_cfg_options(parser)
    args = parser.parse_args()
    paths = [path for path in (args.before, args.run) if path is not None]
    names = distinct_names(paths)
    runs = [load_trained(path) for path in paths[:-1]]
    runs.append(load_trained(args.run, args.cfg_options))
    check_classes(runs[::-1], names[::-1])
    datasets = domain_datasets(runs[-1].cfg, runs[-1].named_classes)
    check_perplexity(
        args.perplexity,
        sum(min(len(d), args.max_images) for d in datasets.values()))
    embeddings = {}
    for name, run in zip(names, runs):
        outputs = outputs_of_domains(run, datasets, args.max_images, args.seed,
                                     args.device, track)
        with working(f't-SNE of {name}'):
            embeddings[name] = embed(outputs, args.perplexity, args.seed)
    classes = runs[-1].classes
    moments = ('before', 'after') if args.before else ('', )
    titles = [': '.join(filter(None, parts)) for parts in zip(moments, names)]
    save(tsne_figure(dict(zip(titles, embeddings.values())), classes),
         args.out, args.dpi)
    numbers = args.out.with_suffix('.csv')
    write_csv(numbers, HEADER, [
        line for name, domains in embeddings.items()
        for line in rows(name, domains, classes)
    ])
    print(f'Picture: {args.out}\nNumbers: {numbers}')


if __name__ == '__main__':
    main()
