"""The network that made frozen features: what it is, as data.

It is read without running anything of it: the config is a Python literal,
and the weights are nothing but tensors.
"""
from __future__ import annotations

import ast
import hashlib
import json
from pathlib import Path
from typing import Mapping, NamedTuple

import torch
from torch import Tensor

from mmgh.feature_files import write_json
from mmgh.input_error import InputError

CONFIG = 'network.json'
WEIGHTS = 'network.pth'


class FeatureNetwork(NamedTuple):
    """A network without a head, and how images enter it."""

    config: dict
    """``model`` (backbone, neck and preprocessor), ``test_pipeline``,
    ``train_pipeline``, ``views`` and ``seed``."""
    weights: Mapping[str, Tensor]
    """Of the model."""

    @property
    def digest(self) -> str:
        """What is equal for networks that give the same features."""
        found = hashlib.sha256(repr(_sorted(self.config)).encode())
        for name, value in sorted(self.weights.items()):
            value = value.cpu().contiguous().reshape(-1)
            found.update(f'{name}{value.dtype}'.encode())
            found.update(value.view(torch.uint8).numpy().tobytes())
        return found.hexdigest()[:16]


def write_network(folder: Path, network: FeatureNetwork,
                  versions: dict[str, str]) -> None:
    """Write a network into a folder.

    Args:
        folder (Path): Where it goes.
        network (FeatureNetwork): Its config should be plain values.
        versions (dict[str, str]): What it was made with, for who reads it.

    Raises:
        InputError: If there are other values in the config.
    """
    text = repr(network.config)
    try:
        ast.literal_eval(text)
    except (SyntaxError, ValueError) as error:
        raise InputError(
            'The config should consist of numbers, strings, lists and dicts, '
            f'which can be written, but has others: {text}') from error
    torch.save(dict(network.weights), folder / WEIGHTS)
    write_json(
        folder / CONFIG,
        dict(digest=network.digest, versions=versions, config=text))


def read_digest(folder: str | Path) -> str | None:
    """Return the digest of the network of a folder, if it has one."""
    path = Path(folder) / CONFIG
    return _read_json(path)['digest'] if path.exists() else None


def read_network(folder: str | Path) -> FeatureNetwork:
    """Read the network of a folder.

    Raises:
        InputError: If it has none, or not the one that it says.
    """
    content = _read_json(Path(folder) / CONFIG)
    path = Path(folder) / WEIGHTS
    try:
        network = FeatureNetwork(
            ast.literal_eval(content['config']),
            torch.load(path, map_location='cpu', weights_only=True))
        digest = network.digest
    except Exception as error:  # torch names no common type
        raise InputError(f'{path} should be the weights of a network, as '
                         '`mmgh extract` writes them, but reading them '
                         f'failed: {error}') from error
    if digest != content['digest']:
        raise InputError(f'{folder} should have the network '
                         f"{content['digest']}, but has {digest}.")
    return network


def _read_json(path: Path) -> dict:
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
        return dict(digest=content['digest'], config=content['config'])
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f'{path} should say which network made the features, as '
            '`mmgh extract` writes it, but reading it failed: '
            f'{error!r}') from error


def _sorted(node):
    """Order the keys of a config, which do not matter."""
    if isinstance(node, dict):
        return {key: _sorted(node[key]) for key in sorted(node)}
    if isinstance(node, (list, tuple)):
        return type(node)(_sorted(item) for item in node)
    return node
