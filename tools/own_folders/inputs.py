"""Whether what a study was begun with is still the same."""
from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

from mmgh.config_file import read_config
from mmgh.input_error import InputError
from .classifier import is_config
from .listing import Listing
from .options import settings_of

# Digests of files: of which setting they are, and what of it may change.
DIGESTS = {
    'source_files': ('source', 'the images'),
    'target_files': ('target', 'the images'),
    'classifier_config': ('classifier', 'the config'),
    'weights_file': ('weights', 'the weights'),
}


def inputs_of(args: argparse.Namespace, source: Listing,
              target: Listing) -> dict:
    """Return the settings of a study, and digests of the files that they
    name; none of weights that are gone, since the study has a copy."""
    inputs = {
        **settings_of(args), 'source_files': source.digest,
        'target_files': target.digest
    }
    if is_config(args.classifier):
        text = read_config(args.classifier).text  # with its bases
        inputs['classifier_config'] = _digest(text.encode())
    if args.weights is not None and Path(args.weights).is_file():
        inputs['weights_file'] = _digest(Path(args.weights).read_bytes())
    return inputs


def compare_inputs(folder: Path, inputs: dict) -> None:
    """Refuse to go on with others than a study was begun with.

    Args:
        folder (Path): With the configs of the study.
        inputs (dict): What :func:`inputs_of` finds now.

    Raises:
        InputError: If one is another.
    """
    there = json.loads((folder / 'settings.json').read_text())
    for name, value in inputs.items():
        if there.get(name) == value:
            continue
        if name in DIGESTS:
            if name not in there:  # begun before it was noted
                continue
            setting, what = DIGESTS[name]
            raise InputError(
                f'{inputs[setting]} should have {what} that {folder.parent} '
                'was begun with, but files of it have changed since. Choose '
                'another --out.')
        raise InputError(
            f'{folder.parent} is of another study: `{name}` is '
            f'{there.get(name)!r} there, and {value!r} here. Choose another '
            '--out.')


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
