"""Classify image files with a trained model.

    mmgh predict RUN IMAGES... --out predictions.csv

IMAGES are files, and folders, which are searched recursively. They go through
the test pipeline of the run (without test data, that of the validation); where
it has no step that reads files, as with the digits, one is put before it.

The CSV has a line per image: its path, and the most probable classes with
their probabilities, best first. A file that cannot be read is named and left
out; then the exit status is 1.
"""
from __future__ import annotations

import argparse
from pathlib import Path

# Before anything of OpenMMLab: it may repair an import of theirs.
import mmgh  # noqa: F401

# isort: split
from expected_errors import one_line_errors
from options import add_cfg_options, add_device_option, output_file, positive
from progress import track
from whole_run import OWN_MODULE, load_whole

from mmgh.analysis.tables import markdown_table, write_csv
from mmgh.classifier_outputs import check_finite_outputs
from mmgh.deployment import Predictions, find_images, predict_files
from mmgh.deployment.file_pipeline import file_pipeline
from mmgh.input_error import InputError

TOP_K = 5
TABLE_ROWS = 20


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('run', help='work directory, or a checkpoint')
    parser.add_argument('images', nargs='+', help='files and folders')
    parser.add_argument(
        '--top-k',
        type=positive,
        help=f'how many classes of each image to list (default: {TOP_K}, or '
        'all if there are fewer)')
    parser.add_argument(
        '--batch-size',
        type=positive,
        default=32,
        help='images at a time (default: 32)')
    parser.add_argument(
        '--out',
        type=output_file,
        default=Path('predictions.csv'),
        help='CSV to write (default: predictions.csv)')
    add_device_option(parser)
    add_cfg_options(parser, OWN_MODULE)
    return parser.parse_args()


def choose_top_k(wanted: int | None, num_classes: int) -> int:
    if wanted is None:
        return min(TOP_K, num_classes)
    if wanted > num_classes:
        raise InputError('`--top-k` should be at most the number of classes, '
                         f'{num_classes}, but is {wanted}.')
    return wanted


def best_classes(predictions: Predictions, classes: list[str],
                 top_k: int) -> list[list[tuple[str, float]]]:
    """Return names and probabilities for each image, best first."""
    best = predictions.probabilities.topk(top_k)
    return [[(classes[i], value) for i, value in zip(labels, values)]
            for labels, values in zip(best.indices.tolist(),
                                      best.values.tolist())]


def write_predictions(path: Path, images: list[Path],
                      best: list[list[tuple[str, float]]],
                      top_k: int) -> None:
    header = ['path'] + [
        f'{name}_{rank}' for rank in range(1, top_k + 1)
        for name in ('class', 'probability')
    ]
    rows = ([image] + [
        cell for name, value in classes for cell in (name, f'{value:.6f}')
    ] for image, classes in zip(images, best))
    write_csv(path, header, rows)


def print_table(images: list[Path],
                best: list[list[tuple[str, float]]]) -> None:
    rows = [(str(image), classes[0][0], f'{100 * classes[0][1]:.1f}')
            for image, classes in zip(images[:TABLE_ROWS], best)]
    print(markdown_table(('image', 'class', 'probability (%)'), rows, 2))
    if len(images) > TABLE_ROWS:
        print(f'... and {len(images) - TABLE_ROWS} more images.')


@one_line_errors(InputError)
def main() -> None:
    args = parse_args()
    trained = load_whole(args.run, args.cfg_options)
    top_k = choose_top_k(args.top_k, len(trained.classes))
    images = find_images(args.images)
    predictions = predict_files(
        trained.build_model(args.device), file_pipeline(trained.cfg), images,
        args.batch_size, track)
    for path, reason in predictions.broken.items():
        print(f'{path} is left out: {reason}')
    if not predictions.paths:
        raise SystemExit(f'None of the {len(images)} files can be read.')
    check_finite_outputs(
        trained.path, probabilities=predictions.probabilities)
    best = best_classes(predictions, trained.classes, top_k)
    write_predictions(args.out, predictions.paths, best, top_k)
    print_table(predictions.paths, best)
    print(f'Predictions: {args.out}')
    if predictions.broken:
        raise SystemExit(f'{len(predictions.broken)} of {len(images)} files '
                         'cannot be read.')


if __name__ == '__main__':
    main()
