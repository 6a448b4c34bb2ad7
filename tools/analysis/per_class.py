"""Target accuracy of each class, of two runs or more side by side.

    python tools/analysis/per_class.py RUN RUN --out per_class.png

A run is a work directory or a checkpoint. Classes are sorted by the difference
of the last run to the first. This is an oracle: it uses the target test
labels, so nothing should be chosen by it.
"""
from __future__ import annotations

from argparse import Namespace
from pathlib import Path

# Before anything of OpenMMLab: it may repair an import of theirs.
import mmgh  # noqa: F401
import numpy as np
from mmgh.analysis import (Outputs, Trained, distinct_names, load_trained,
                           outputs_of, target_dataset)
from mmgh.analysis.options import add_device_option, make_parser
from mmgh.analysis.per_class import (ClassAccuracies, by_difference,
                                     class_accuracies, differences)
from mmgh.analysis.plots import save
from mmgh.analysis.plots.bars import per_class_figure
from mmgh.analysis.tables import markdown_table, write_csv


def check_classes(runs: list[Trained], names: list[str]) -> None:
    """Refuse runs whose labels differ in meaning."""
    for run, name in zip(runs, names):
        if run.classes != runs[0].classes:
            raise SystemExit(
                f'{name} should have the classes of {names[0]}, '
                f'{runs[0].classes}, but has {run.classes}.')


def target_outputs(runs: list[Trained], names: list[str],
                   args: Namespace) -> list[Outputs]:
    """Of each run on its own target test data."""
    outputs = [
        outputs_of(run.build_model(args.device), target_dataset(run.cfg))
        for run in runs
    ]
    for output, name in zip(outputs, names):
        if output.labels is None:
            raise SystemExit(f'The target test data of {name} should have '
                             'labels, but have none.')
        if not np.array_equal(output.labels, outputs[0].labels):
            raise SystemExit(f'{name} should have the target test data of '
                             f'{names[0]}, but their labels differ.')
    return outputs


def rows(runs: list[ClassAccuracies], classes: list[str],
         counts: np.ndarray) -> list[tuple]:
    """Class, images, accuracy by each run, difference."""
    change = differences(runs)
    return [(classes[i], int(counts[i]),
             *(float(run.accuracies[i]) for run in runs), float(change[i]))
            for i in by_difference(runs)]


def table(header: tuple, lines: list[tuple],
          runs: list[ClassAccuracies], images: int) -> str:
    """Markdown; below the classes their mean, and that of all images."""
    means = [run.mean for run in runs]
    overall = [run.overall for run in runs]
    lines = lines + [
        ('**mean of the classes**', images, *means, means[-1] - means[0]),
        ('**all images**', images, *overall, overall[-1] - overall[0])
    ]
    return markdown_table(header, [
        (name, str(count), *(f'{value:.1f}' for value in accuracies),
         f'{change:+.1f}') for name, count, *accuracies, change in lines
    ])


def main() -> None:
    parser = make_parser(__doc__, out='per_class.png')
    parser.add_argument('runs', nargs='+', type=Path, help='at least two')
    add_device_option(parser)
    args = parser.parse_args()
    if len(args.runs) < 2:
        parser.error('`runs` should be at least two to compare, but is one.')
    names = distinct_names(args.runs)
    trained = [load_trained(path) for path in args.runs]
    check_classes(trained, names)
    classes = trained[0].classes
    outputs = target_outputs(trained, names, args)
    labels = outputs[0].labels.numpy()
    runs = [
        class_accuracies(name, output.probabilities.argmax(1).numpy(), labels,
                         len(classes))
        for name, output in zip(names, outputs)
    ]
    counts = np.bincount(labels, minlength=len(classes))
    lines = rows(runs, classes, counts)
    header = ('class (oracle: target test labels)', 'images',
              *(f'{name} (%)' for name in names), 'difference (points)')
    print(table(header, lines, runs, len(labels)))
    save(per_class_figure(runs, classes, counts), args.out)
    numbers = args.out.with_suffix('.csv')
    write_csv(numbers, header, lines)
    print(f'Plot: {args.out}\nNumbers: {numbers}')


if __name__ == '__main__':
    main()
