"""Proxy A-distance between the domains, by the features of each run.

    mmgh a-distance RUN... --out a_distance.png

A run is a work directory or a checkpoint. The distance is 2 (1 - 2 error),
where the error is that of a domain classifier on the input of the last layer:
0 where it does not beat chance, 2 where it makes no error. As many images of
each domain are drawn: of the source those that the config trains on, of the
target the test images. A run of one domain takes the data of the first run
that has both. Runs of one name, such as seed0/dann and seed1/dann, are runs of
one setting: the table has their mean and standard deviation; of a study, runs
that only differ by their seeds.

The classifier is logistic regression on standardised features, its error that
of five stratified folds. Sources: Ben-David et al., Analysis of
Representations for Domain Adaptation (2007), A theory of learning from
different domains (2010).
"""
from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path
from typing import NamedTuple

# What tools share is in the folder above.
sys.path.insert(0, str(Path(__file__).parents[1]))
# Before anything of OpenMMLab: it may repair an import of theirs.
import mmgh  # noqa: F401

# isort: split
from expected_errors import one_line_errors
from options import (add_cfg_options, add_device_option, add_image_options,
                     make_parser)
from progress import track, working

from mmgh.analysis import (Trained, check_classes, distinct_names,
                           domain_datasets, group_by_name, has_domain_pair,
                           load_trained, outputs_of_domains, setting_names)
from mmgh.analysis.a_distance import a_distance, domain_error
from mmgh.analysis.plots import save
from mmgh.analysis.plots.bars import a_distance_figure
from mmgh.analysis.tables import markdown_table, spread, write_csv
from mmgh.input_error import InputError


class Measured(NamedTuple):
    """The domains of a run, by its features."""

    name: str
    images: int
    """Of each domain."""
    error: float
    """Of the domain classifier, from 0 to 1."""

    @property
    def distance(self) -> float:
        return a_distance(self.error)


def measure(name: str, trained: Trained, pair: Trained,
            args: Namespace) -> Measured:
    """Run a model on as many images of both domains of `pair`."""
    datasets = domain_datasets(pair.cfg, trained.named_classes)
    images = min(args.max_images, *map(len, datasets.values()))
    outputs = outputs_of_domains(trained, datasets, images, args.seed,
                                 args.device, track)
    with one_line_errors(InputError, about=name), working(
            f'domain classifier of {name}'):
        error = domain_error(*(output.features.numpy()
                               for output in outputs.values()), args.seed)
    return Measured(name, images, error)


def table(groups: dict[str, list[Measured]]) -> str:
    """Write Markdown, one line per setting."""
    header = ('setting', 'runs', 'images of each domain',
              'error of the domain classifier (%)', 'proxy A-distance')
    return markdown_table(header, [(
        name,
        str(len(runs)),
        ', '.join(sorted({str(run.images) for run in runs})),
        spread([100 * run.error for run in runs]),
        spread([run.distance for run in runs], digits=2),
    ) for name, runs in groups.items()])


@one_line_errors(InputError)
def main() -> None:
    parser = make_parser(__doc__, out='a_distance.png')
    parser.add_argument('runs', nargs='+', type=Path, help='to measure')
    add_image_options(parser)
    add_device_option(parser)
    add_cfg_options(parser)
    args = parser.parse_args()
    names = distinct_names(args.runs)
    runs = [load_trained(path, args.cfg_options) for path in args.runs]
    first = next((run for run in runs if has_domain_pair(run.cfg)), runs[0])
    measured = []
    for path, run, setting in zip(args.runs, runs, setting_names(args.runs)):
        pair = run if has_domain_pair(run.cfg) else first
        check_classes([pair, run], [str(pair.path), str(path)])
        measured.append(measure(setting, run, pair, args))
    groups = group_by_name(measured)
    print(table(groups))
    save(a_distance_figure({
        name: [run.distance for run in group]
        for name, group in groups.items()
    }), args.out, args.dpi)
    numbers = args.out.with_suffix('.csv')
    write_csv(
        numbers, ('run', 'setting', 'images of each domain',
                  'error of the domain classifier (%)', 'proxy A-distance'),
        [(name, run.name, run.images, 100 * run.error, run.distance)
         for name, run in zip(names, measured)])
    print(f'Plot: {args.out}\nNumbers: {numbers}')


if __name__ == '__main__':
    main()
