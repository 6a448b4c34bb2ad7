"""Take a trained classifier away, to where mmgh is not installed.

    mmgh export RUN --out FOLDER
    mmgh export RUN --out FOLDER --onnx

The first writes config.py and classifier.pth for mmpretrain alone:

    inferencer = mmpretrain.ImageClassificationInferencer(
        'FOLDER/config.py', 'FOLDER/classifier.pth')

The UDA head and all else that only training needs is left out. Test data that
were held in memory become folders of classes in data/test; set
test_dataloader.dataset.data_root to yours.

The second writes classifier.onnx instead. Its input `images` has shape
(N, 3, H, W), with any N, and type float32: RGB images with values from 0 to
255, not normalised, resized and cropped as the test pipeline does. The model
normalises them itself. Its output `probabilities` has shape (N, classes). The
metadata of the file have `classes`, `height`, `width`, `channel_order`,
`mean` and `std` (which the model applies), and the `pipeline`.

A run on frozen features gets the backbone back that made them, from the
folder of the features.

Either is compared with the trained model on random images before it is
written.
"""
from __future__ import annotations

import argparse
import contextlib
import tempfile
from pathlib import Path

# Before anything of OpenMMLab: it may repair an import of theirs.
import mmgh  # noqa: F401

# isort: split
import torch
from expected_errors import one_line_errors
from mmengine.config import Config
from options import add_cfg_options
from progress import working
from torch import Tensor
from whole_run import OWN_MODULE, load_whole

from mmgh.analysis import Trained
from mmgh.classifier_outputs import check_finite_outputs
from mmgh.deployment import (check_onnx_packages, probabilities_of, run_onnx,
                             write_onnx)
from mmgh.deployment.file_pipeline import file_pipeline, image_format
from mmgh.input_error import InputError

NUM_IMAGES = 3
TOLERANCE = 1e-4


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('run', help='work directory, or a checkpoint')
    parser.add_argument(
        '--out', type=Path, required=True, help='new or empty folder')
    parser.add_argument(
        '--onnx',
        action='store_true',
        help='write classifier.onnx instead; needs torch 2.5')
    add_cfg_options(parser, OWN_MODULE)
    args = parser.parse_args()
    if args.out.exists() and not (args.out.is_dir()
                                  and not list(args.out.iterdir())):
        parser.error(f'--out should be a new or an empty folder, but there is '
                     f'something at {args.out}')
    if args.onnx:
        check_onnx_packages()
    return args


def check_equal(exported: Tensor, original: Tensor) -> None:
    difference = (exported - original).abs().max().item()
    if not difference <= TOLERANCE:
        raise SystemExit('The exported classifier should predict the '
                         f'probabilities of the trained one within '
                         f'{TOLERANCE}, but they differ by {difference:.2g}.')


def write_plain(trained: Trained, folder: Path, images: Tensor) -> Tensor:
    """Write for mmpretrain; returns what it predicts."""
    # Not for --help: mmpretrain warns where mmcv-lite is installed.
    import mmpretrain

    from mmgh.deployment.plain_classifier import plain_classifier
    config, weights = plain_classifier(trained.cfg, trained.weights,
                                       trained.classes)
    Config(config).dump(folder / 'config.py')
    torch.save(
        dict(
            state_dict=dict(weights),
            meta=dict(dataset_meta=dict(classes=trained.classes))),
        folder / 'classifier.pth')
    # It prints the path, which is not to stay.
    with contextlib.redirect_stdout(None):
        model = mmpretrain.get_model(
            str(folder / 'config.py'), str(folder / 'classifier.pth'))
    return probabilities_of(model, images)


def write_checked(trained: Trained, folder: Path, onnx: bool) -> None:
    """Write into a folder, and compare what is written with the original."""
    model = trained.build_model()
    pipeline = file_pipeline(trained.cfg)
    shape, order = image_format(pipeline)
    images = torch.randint(0, 256, (NUM_IMAGES, *shape), dtype=torch.uint8)
    with working('the trained model'):
        original = probabilities_of(model, images)
    check_finite_outputs(trained.path, probabilities=original)
    if onnx:
        with working('to ONNX'):
            write_onnx(model, pipeline, trained.classes,
                       folder / 'classifier.onnx')
        with working('the ONNX model'):
            exported = run_onnx(folder / 'classifier.onnx',
                                images.flip(1) if order == 'BGR' else images)
    else:
        with working('to mmpretrain'):
            exported = write_plain(trained, folder, images)
    check_equal(exported, original)


@one_line_errors(InputError)
def main() -> None:
    args = parse_args()
    trained = load_whole(args.run, args.cfg_options)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=args.out.parent) as temporary:
        folder = Path(temporary) / 'export'
        folder.mkdir()
        write_checked(trained, folder, args.onnx)
        # All of it or nothing.
        names = sorted(path.name for path in folder.iterdir())
        folder.replace(args.out)
    print(f"{args.out}: {', '.join(names)}")


if __name__ == '__main__':
    main()
