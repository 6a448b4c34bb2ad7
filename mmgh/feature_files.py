"""Frozen features on disk: what a network gave for images, once.

A folder has the features of some domains, all made by one network::

    <domain>.npy     float16, shape (views, N, D); view 0 is the test pipeline
    <domain>.json    its classes, files and labels
    network.json     the network and its pipelines, as data
    network.pth      its weights
"""
from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mmgh.atomic_files import write_atomically
from mmgh.input_error import InputError


class FeatureDomain(NamedTuple):
    """What is known of the features of one domain besides their values."""

    network: str
    """Digest of what made them."""
    files: list[str]
    """Paths of the N images, relative to the folder of the domain."""
    classes: list[str] | None
    """Names; None if the images have no labels."""
    labels: list[int] | None
    """Of each image; None if they have none."""
    broken: dict[str, str] | None = None
    """Files that could not be read, and why; they have no features. None if
    there are none."""
    digests: list[str] | None = None
    """Of the content of each file, to see which were replaced; empty ones, or
    None, where it was not noted."""


def features_path(folder: str | Path, domain: str) -> Path:
    """Return the path of the features of a domain."""
    return Path(folder) / f'{domain}.npy'


@cache
def open_features(path: str) -> np.ndarray:
    """Map features ``(views, N, D)`` into memory, once for all data sets."""
    return np.load(path, mmap_mode='r')


def read_domain(folder: str | Path, domain: str) -> FeatureDomain:
    """Read what is known of the features of a domain.

    Raises:
        InputError: If the folder does not have all of it.
    """
    path = features_path(folder, domain)
    try:
        text = path.with_suffix('.json').read_text(encoding='utf-8')
        found = FeatureDomain(**json.loads(text))
        shape = open_features(str(path)).shape
    except (OSError, TypeError, ValueError) as error:
        raise InputError(
            f'{path} and {path.stem}.json should be the features of a domain, '
            'as `mmgh extract` writes them, but reading them '
            f'failed: {error}') from error
    if len(shape) != 3 or shape[1] != len(found.files):
        raise InputError(f'{path} should have shape (views, '
                         f'{len(found.files)}, D), but has {shape}.')
    return found


def write_domain(folder: str | Path, domain: str,
                 found: FeatureDomain) -> None:
    """Write what is known of the features of a domain.

    Last of all, since it says that they are complete.
    """
    write_json(
        features_path(folder, domain).with_suffix('.json'), found._asdict())
    open_features.cache_clear()  # there may have been others of that name


def write_json(path: Path, content: dict) -> None:
    """Write all of it or nothing."""
    write_atomically(path, json.dumps(content, indent=1).encode())
