from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, Sequence

import torch
from mmengine.dataset import Compose
from torch import Tensor, nn

from .probabilities import probabilities_of

EXTENSIONS = ('.jpg', '.jpeg', '.png', '.ppm', '.bmp', '.pgm', '.tif', '.tiff',
              '.webp')


class Predictions(NamedTuple):
    """What a classifier says of N image files."""

    paths: list[Path]
    probabilities: Tensor
    """Of the classes, shape ``(N, C)``."""
    broken: dict[Path, str]
    """Files that are no image, and why."""


def find_images(paths: Sequence[str | Path]) -> list[Path]:
    """Files as they are named, and those in folders, recursively, whose name
    is that of an image; each once.

    Raises:
        ValueError: If a path does not exist, or if there is no image.
    """
    found: dict[Path, None] = {}
    for path in map(Path, paths):
        if path.is_dir():
            found.update(
                dict.fromkeys(
                    file for file in sorted(path.rglob('*'))
                    if file.suffix.lower() in EXTENSIONS and file.is_file()))
        elif path.exists():
            found[path] = None
        else:
            raise ValueError('`images` should name files and folders, but '
                             f'{path} does not exist.')
    if not found:
        raise ValueError(
            f"`images` should have at least one image ({', '.join(EXTENSIONS)}"
            f"), but there is none in {', '.join(map(str, paths))}.")
    return list(found)


def predict_files(model: nn.Module,
                  pipeline: Sequence[dict],
                  paths: Sequence[Path],
                  batch_size: int = 32) -> Predictions:
    """Classify image files.

    Args:
        model (nn.Module): An ``ImageClassifier``, in evaluation mode.
        pipeline (Sequence[dict]): Of image files, which gives images of one
            size.
        paths (Sequence[Path]): The files.
        batch_size (int): Images at a time. Defaults to 32.
    """
    compose = Compose(pipeline)
    read, broken, probabilities = [], {}, []
    for start in range(0, len(paths), batch_size):
        images = []
        for path in paths[start:start + batch_size]:
            try:
                images.append(compose(dict(img_path=str(path)))['inputs'])
                read.append(path)
            except Exception as error:  # decoders name no common type
                broken[path] = ' '.join(f'{error}'.split())
        if images:
            probabilities.append(
                probabilities_of(model, torch.stack(images)))
    return Predictions(
        read,
        torch.cat(probabilities) if probabilities else torch.empty(0, 0),
        broken)
