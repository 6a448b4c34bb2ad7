from __future__ import annotations

from pathlib import Path
from typing import Callable, Iterable, NamedTuple, Sequence

import torch
from mmengine.dataset import Compose
from mmengine.fileio import list_dir_or_file
from torch import Tensor, nn

from mmgh.arguments import COUNT
from mmgh.image_names import EXTENSIONS, is_hidden
from mmgh.input_error import InputError
from .file_pipeline import image_format, input_of, split_pipeline
from .probabilities import probabilities_of

# Told of each batch; ``track(steps, title)`` yields the steps.
Track = Callable[[Sequence, str], Iterable]


class Predictions(NamedTuple):
    """What a classifier says of N image files."""

    paths: list[Path]
    probabilities: Tensor
    """Of the classes, shape ``(N, C)``."""
    broken: dict[Path, str]
    """Files that are no image, and why."""


def find_images(paths: Sequence[str | Path]) -> list[Path]:
    """List files as they are named, and the images in folders; each once,
    under the first of its names.

    What is in a folder is listed as data sets list it: recursively, also in
    folders that are links, without hidden files. What lies in hidden folders
    below the given one is left out as well.

    Raises:
        InputError: If a path does not exist, or if there is no image.
    """
    found: dict[Path, Path] = {}
    for path in map(Path, paths):
        if path.is_dir():
            names = list_dir_or_file(path, list_dir=False, recursive=True)
            visible = sorted(name for name in names if not is_hidden(name))
            for file in map(path.joinpath, visible):
                if file.suffix.lower() in EXTENSIONS:
                    found.setdefault(file.resolve(), file)
        elif path.exists():
            found.setdefault(path.resolve(), path)
        else:
            raise InputError('`images` should name files and folders, but '
                             f'{path} does not exist.')
    if not found:
        raise InputError(
            f"`images` should have at least one image ({', '.join(EXTENSIONS)}"
            f"), but there is none in {', '.join(map(str, paths))}.")
    return list(found.values())


def predict_files(model: nn.Module,
                  pipeline: Sequence[dict],
                  paths: Sequence[Path],
                  batch_size: int = 32,
                  track: Track | None = None) -> Predictions:
    """Classify image files.

    Args:
        model (nn.Module): An ``ImageClassifier``, in evaluation mode.
        pipeline (Sequence[dict]): Of image files.
        paths (Sequence[Path]): The files. Those that cannot be read are left
            out.
        batch_size (int): Images at a time. Defaults to 32.
        track (Callable, optional): Yields the batches that it is given with a
            title, and tells the user how many are done. Defaults to None.

    Raises:
        InputError: If the pipeline fails with an image that was read, or does
            not give images of one size.
    """
    COUNT.check(batch_size=batch_size)
    shape = image_format(pipeline).shape
    read, transform = split_pipeline(pipeline)
    good, broken, probabilities = [], {}, []
    starts = range(0, len(paths), batch_size)
    for start in track(starts, 'batches of images') if track else starts:
        images = []
        for path in paths[start:start + batch_size]:
            try:
                image = read(dict(img_path=str(path)))
            except Exception as error:  # decoders name no common type
                broken[path] = ' '.join(f'{error}'.split())
                continue
            images.append(_input_of_shape(shape, transform, image, path))
            good.append(path)
        if images:
            probabilities.append(
                probabilities_of(model, torch.stack(images)))
    return Predictions(
        good,
        torch.cat(probabilities) if probabilities else torch.empty(0, 0),
        broken)


def _input_of_shape(shape: tuple[int, ...], transform: Compose, image: dict,
                    path: Path) -> Tensor:
    inputs = input_of(transform, image, path)
    if inputs.shape != shape:
        raise InputError('The test pipeline should give images of one size, '
                         f'but gives shape {tuple(inputs.shape)} for {path}, '
                         f'and {shape} for others.')
    return inputs
