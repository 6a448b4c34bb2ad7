"""Frozen features on disk: what a network gave for images, once.

A folder has the features of some domains, all made by one network::

    <domain>.npy     float16, shape (views, N, D); view 0 is the test pipeline
    <domain>.json    its classes, files and labels
    network.json     what made them: a model, pipelines, versions, as data
    network.pth      the weights of that model
"""
from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

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


def features_path(folder: str | Path, domain: str) -> Path:
    """Return the path of the features of a domain."""
    return Path(folder) / f'{domain}.npy'


@lru_cache(maxsize=None)
def open_features(path: str) -> np.ndarray:
    """Map features ``(views, N, D)`` into memory, once for all data sets."""
    return np.load(path, mmap_mode='r')


def read_domain(folder: str | Path, domain: str) -> FeatureDomain:
    """Read what is known of the features of a domain.

    Raises:
        InputError: If the folder has no such domain, or not all of it.
    """
    path = features_path(folder, domain).with_suffix('.json')
    try:
        found = FeatureDomain(**json.loads(path.read_text(encoding='utf-8')))
        shape = open_features(str(path.with_suffix('.npy'))).shape
    except (OSError, TypeError, ValueError) as error:
        raise InputError(
            f'{path} and {path.stem}.npy should have the features of '
            f'{domain!r}, as tools/extract_features.py writes them, but '
            f'reading them failed: {error}') from error
    if len(shape) != 3 or shape[1] != len(found.files):
        raise InputError(
            f'{path.stem}.npy in {folder} should have shape (views, '
            f'{len(found.files)}, D), but has {shape}.')
    return found


def write_domain(folder: str | Path, domain: str,
                 found: FeatureDomain) -> None:
    """Write what is known of the features of a domain: last of all, since it
    says that they are complete."""
    path = features_path(folder, domain).with_suffix('.json')
    partial = path.with_suffix('.json.part')
    partial.write_text(json.dumps(found._asdict()), encoding='utf-8')
    partial.replace(path)
