"""Target accuracy of each class, of one run or several side by side.

    mmgh per-class RUN... --out per_class.png

A run is a work directory or a checkpoint. Classes are sorted by the difference
of the last run to the first; of one run, by its accuracy. This is an oracle:
it uses the target test labels, so nothing should be chosen by it. With
--confusion there is also a picture of which classes are taken for which.
"""
from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path

# What tools share is in the folder above.
sys.path.insert(0, str(Path(__file__).parents[1]))
# Before anything of OpenMMLab: it may repair an import of theirs.
import mmgh  # noqa: F401

# isort: split
import numpy as np
from expected_errors import one_line_errors
from options import (add_cfg_options, add_device_option, make_parser,
                     picture_file)
from progress import track

from mmgh.analysis import (Outputs, Trained, check_classes, distinct_names,
                           load_trained, outputs_of_domains, target_dataset)
from mmgh.analysis.per_class import (ClassAccuracies, class_accuracies,
                                     class_order, confusion)
from mmgh.analysis.plots import save
from mmgh.analysis.plots.bars import per_class_figure
from mmgh.analysis.plots.confusion import confusion_figure
from mmgh.analysis.tables import markdown_table, write_csv
from mmgh.input_error import InputError


def target_outputs(runs: list[Trained], names: list[str],
                   args: Namespace) -> list[Outputs]:
    """Run each model on its own target test data."""
    outputs = [
        outputs_of_domains(
            run, dict(target=target_dataset(run.cfg, run.named_classes)),
            device=args.device,
            track=track)['target'] for run in runs
    ]
    for output, name in zip(outputs, names):
        if output.labels is None:
            raise InputError(f'The target test data of {name} should have '
                             'labels, but have none.')
        if not np.array_equal(output.labels, outputs[0].labels):
            raise InputError(f'{name} should have the target test data of '
                             f'{names[0]}, but their labels differ.')
    return outputs


def rows(runs: list[ClassAccuracies], classes: list[str],
         counts: np.ndarray) -> list[tuple]:
    """Make lines: class, images, accuracy by each run; of several the
    difference."""
    lines = [(classes[i], int(counts[i]),
              *(float(run.accuracies[i]) for run in runs))
             for i in class_order(runs)]
    return list(map(with_difference, lines))


def with_difference(line: tuple) -> tuple:
    """Add that of the last run to the first one."""
    first, *others = line[2:]
    return (*line, others[-1] - first) if others else line


def table(header: tuple, lines: list[tuple],
          runs: list[ClassAccuracies], images: int) -> str:
    """Write Markdown; below the classes their mean, and that of all images."""
    lines = lines + list(map(with_difference, [
        ('**mean of the classes**', images, *(run.mean for run in runs)),
        ('**all images**', images, *(run.overall for run in runs))
    ]))
    forms = ['.1f'] * len(runs) + ['+.1f']
    return markdown_table(header, [
        (name, str(count), *map(format, numbers, forms))
        for name, count, *numbers in lines
    ])


@one_line_errors(InputError)
def main() -> None:
    parser = make_parser(__doc__, out='per_class.png')
    parser.add_argument('runs', nargs='+', type=Path, help='to compare')
    parser.add_argument(
        '--confusion', type=picture_file, help='second picture to write')
    add_device_option(parser)
    add_cfg_options(parser)
    args = parser.parse_args()
    names = distinct_names(args.runs)
    trained = [load_trained(path, args.cfg_options) for path in args.runs]
    check_classes(trained, names)
    classes = trained[0].classes
    outputs = target_outputs(trained, names, args)
    labels = outputs[0].labels.numpy()
    predictions = {
        name: output.probabilities.argmax(1).numpy()
        for name, output in zip(names, outputs)
    }
    runs = [
        class_accuracies(name, predicted, labels, len(classes))
        for name, predicted in predictions.items()
    ]
    counts = np.bincount(labels, minlength=len(classes))
    lines = rows(runs, classes, counts)
    header = ('class (oracle: target test labels)', 'images',
              *(f'{name} (%)' for name in names),
              'difference (points)')[:len(lines[0])]
    print(table(header, lines, runs, len(labels)))
    save(per_class_figure(runs, classes, counts), args.out, args.dpi)
    if args.confusion:
        save(confusion_figure({
            name: confusion(predicted, labels, len(classes))
            for name, predicted in predictions.items()
        }, classes), args.confusion, args.dpi)
    numbers = args.out.with_suffix('.csv')
    write_csv(numbers, header, lines)
    print(f'Plot: {args.out}\nNumbers: {numbers}')


if __name__ == '__main__':
    main()
