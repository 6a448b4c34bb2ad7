"""The configs of a study of two folders, which the user can go on from."""
from __future__ import annotations

import math
import os
from copy import deepcopy
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmgh.atomic_files import write_atomically
from .classifier import Classifier, write_weights
from .domains import Pair
from .listing import Domain
from .templates import (DATA, HEADER, HEADS, METHOD, ORACLE_METRIC, RATES,
                        SCALE, SOURCE_ONLY, STUDY, TRAINING)

METRIC = 'unsupervised/mutual_information'
ORACLE = 'oracle/accuracy/top1'
BOTTLENECK = 256
WEIGHTS = 'pretrained.pth'
# Of a training: often enough to choose among, and to lose little by a kill.
VALIDATIONS = 10


def write_configs(folder: Path, name: str, pair: Pair, classifier: Classifier,
                  options: dict[str, Any]) -> None:
    """Write the study and all that it names into a folder.

    Args:
        folder (Path): Absolute: others read it from anywhere.
        name (str): Of the pair of domains.
        pair (Pair): Their images.
        classifier (Classifier): To train.
        options (dict[str, Any]): ``iterations`` and ``batch_size``.
    """
    if classifier.state is not None:
        write_weights(classifier.state, folder / WEIGHTS)
    labelled = pair.target.labels is not None
    files = {
        'source.txt': _list(pair.source),
        'target.txt': _list(pair.target),
        'classifier.py': _classifier(folder, classifier, len(pair.classes)),
        'data.py': _data(folder, pair, classifier, options['batch_size']),
        'training.py': _training(classifier, options['iterations']),
        'source-only.py': SOURCE_ONLY,
        **{
            file: METHOD.format(head=head, **options)
            for file, head in HEADS.items()
        },
        'study.py': STUDY.format(
            pair=name, metric=ORACLE if labelled else METRIC) +
        ('' if labelled else SCALE.format(
            scale=100 / math.log(len(pair.classes)))),
    }
    for file, text in files.items():
        text = HEADER + text if file.endswith('.py') else text
        write_atomically(folder / file, text.encode())


def _list(domain: Domain) -> str:
    if domain.labels is None:
        return ''.join(f'{image}\n' for image in domain.images)
    return ''.join(f'{image} {label}\n'
                   for image, label in zip(domain.images, domain.labels))


def _classifier(folder: Path, classifier: Classifier, classes: int) -> str:
    parts = deepcopy(classifier.found.model)
    parts.pop('data_preprocessor', None)  # it stands with the data
    neck = parts.pop('neck', None) or []
    backbone = _begin_with(parts.pop('backbone'), folder, classifier,
                           'backbone')
    if isinstance(neck, dict):
        neck = [_begin_with(neck, folder, classifier, 'neck')]
    else:
        neck = [_begin_with(part, folder, classifier, f'neck.{i}')
                for i, part in enumerate(neck)]
    bottleneck = dict(
        type='mmgh.Bottleneck',
        in_channels=classifier.features,
        out_channels=BOTTLENECK)
    head = dict(
        type='LinearClsHead', in_channels=BOTTLENECK, num_classes=classes)
    model = dict(parts, backbone=backbone, neck=[*neck, bottleneck], head=head)
    return Config(dict(model=model)).pretty_text


def _begin_with(part: dict, folder: Path, classifier: Classifier,
                name: str) -> dict:
    """Let a part of the network begin with its pretrained weights."""
    part = {key: value for key, value in part.items()
            if key not in ('pretrained', 'checkpoint_path')}
    state = classifier.state
    if state is None:
        if 'Pretrained' in str(part.get('init_cfg')):
            del part['init_cfg']
    elif any(key.startswith(f'{name}.') for key in state):
        part['init_cfg'] = dict(
            type='Pretrained', checkpoint=str(folder / WEIGHTS), prefix=name)
    return part


def _data(folder: Path, pair: Pair, classifier: Classifier,
          batch_size: int) -> str:
    found = classifier.found
    train, test = found.pipelines or _pipelines(found.shape)
    preprocessor = dict(found.model.get('data_preprocessor') or {})
    preprocessor.pop('num_classes', None)
    settings = Config(
        dict(
            classes=tuple(pair.classes),
            train_pipeline=train,
            test_pipeline=test,
            data_preprocessor=preprocessor))
    labelled = pair.target.labels is not None
    return settings.pretty_text + DATA.format(
        source=str(pair.source.folder.resolve()),
        target=str(pair.target.folder.resolve()),
        source_list=str(folder / 'source.txt'),
        target_list=str(folder / 'target.txt'),
        labelled=labelled,
        batch_size=batch_size,
        workers=min(4, os.cpu_count() or 1),
        oracle=ORACLE_METRIC if labelled else '')


def _pipelines(shape: tuple[int, int, int]) -> tuple[list[dict], list[dict]]:
    """Return those of photographs, in colour or not; the centre of a test
    image has seven eighths of its sides."""
    channels, size, _ = shape
    larger = round(size * 8 / 7)
    read = dict(type='LoadImageFromFile')
    if channels == 1:
        read['color_type'] = 'grayscale'
    enlarge = dict(type='Resize', scale=(larger, larger))
    return [
        read, enlarge,
        dict(type='RandomResizedCrop', scale=size),
        dict(type='RandomFlip', prob=0.5, direction='horizontal'),
        dict(type='PackInputs')
    ], [
        read, enlarge,
        dict(type='CenterCrop', crop_size=size),
        dict(type='PackInputs')
    ]


def _training(classifier: Classifier, iterations: int) -> str:
    pretrained = classifier.state is not None
    return TRAINING.format(
        # What has layer normalisation, as transformers, diverges or forgets
        # at the rates of ResNets.
        lr=0.001 if pretrained and classifier.has_layer_norm else 0.01,
        rates=RATES if pretrained else '',
        iterations=iterations,
        interval=max(1, iterations // VALIDATIONS),
        # The time that is left is told from the log.
        log_interval=max(1, iterations // 200),
        metric=METRIC)
