"""A classifier with its preprocessing as ONNX."""
from __future__ import annotations

import importlib.util
import json
import logging
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, Sequence

import torch
from torch import Tensor, nn

from mmgh.classifier_outputs import scores_of
from mmgh.compat import is_at_least
from mmgh.input_error import InputError
from .file_pipeline import image_format


class Deployed(nn.Module):
    """Probabilities of the classes for images of a fixed channel order.

    Args:
        model (nn.Module): An ``ImageClassifier``.
        order (str): Of the channels of the images that the model takes.
            Those of this module are RGB, or gray.
    """

    def __init__(self, model: nn.Module, order: str) -> None:
        super().__init__()
        self.model = model
        self.order = order

    def forward(self, images: Tensor) -> Tensor:
        """Return probabilities ``(N, C)`` of images ``(N, 3, H, W)``, 0 to
        255."""
        if self.order == 'BGR':
            images = images.flip(1)
        data = self.model.data_preprocessor(dict(inputs=images), False)
        feats = self.model.extract_feat(data['inputs'])
        return scores_of(self.model.head, feats).softmax(dim=1)


def check_onnx_packages() -> None:
    """Check that there is all that :func:`write_onnx` needs.

    Raises:
        InputError: If a package is missing, or torch is too old.
    """
    missing = [
        name for name in ('onnxscript', 'onnxruntime')
        if importlib.util.find_spec(name) is None
    ]
    if missing:
        raise InputError('ONNX needs the packages onnxscript and onnxruntime, '
                         f"but {' and '.join(missing)} cannot be found.")
    if not is_at_least(torch.__version__, '2.5'):
        raise InputError('ONNX needs torch>=2.5, which has the exporter, but '
                         f'found {torch.__version__}.')


def write_onnx(model: nn.Module, pipeline: Sequence[dict],
               classes: Sequence[str], path: str | Path) -> None:
    """Write a classifier.

    The input ``images`` is what the pipeline makes of an image file, but
    RGB: float32, shape ``(N, 3, H, W)``, values from 0 to 255. N is free. The
    output ``probabilities`` has shape ``(N, C)``. The metadata say how to
    make the input, and which classes there are.

    Args:
        model (nn.Module): An ``ImageClassifier``, in evaluation mode.
        pipeline (Sequence[dict]): Of image files, which gives images of one
            size.
        classes (Sequence[str]): Names.
        path (str | Path): Of the file.

    Raises:
        InputError: If a package is missing, or torch is too old.
    """
    check_onnx_packages()
    shape, order = image_format(pipeline)
    # With a batch of 1, tracing would take its size for fixed.
    example = torch.zeros(2, *shape)
    with _quiet():
        program = torch.onnx.export(
            Deployed(model, order).eval(), (example, ),
            input_names=['images'],
            output_names=['probabilities'],
            dynamic_shapes=dict(images={0: torch.export.Dim('batch')}),
            dynamo=True,
            verbose=False)
    channels, height, width = shape
    normalised = {
        name: value.flatten().tolist()
        for name, value in model.data_preprocessor.named_buffers()
    }
    program.model.metadata_props.update({
        'classes': json.dumps(list(classes)),
        'channel_order': 'gray' if order == 'gray' else 'RGB',
        'height': str(height),
        'width': str(width),
        'values': 'float32, 0 to 255; the model normalises them',
        **{name.split('.')[-1]: json.dumps(value)
           for name, value in normalised.items()},
        'pipeline': json.dumps(list(pipeline)),
    })
    program.save(path, external_data=False)


def run_onnx(path: str | Path, images: Tensor) -> Tensor:
    """Run ONNX on RGB images; return probabilities ``(N, C)``."""
    import onnxruntime
    session = onnxruntime.InferenceSession(
        str(path), providers=['CPUExecutionProvider'])
    probabilities, = session.run(None, dict(images=images.float().numpy()))
    return torch.from_numpy(probabilities)


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the exporter, whose warnings mostly do not concern its user."""
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            yield
    finally:
        logging.disable(logging.NOTSET)
