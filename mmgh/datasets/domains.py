"""What data sets of two domains have in common."""
from __future__ import annotations

import cv2
from mmengine.dataset import BaseDataset

from mmgh.class_names import check_folders, check_same_labels
from mmgh.input_error import InputError, InputTypeError
from mmgh.registry import DATASETS

# How readers fail of what they read: those of MMEngine and mmpretrain assert
# what a folder, a list or an image should be.
_OF_DATA = (OSError, ValueError, AssertionError)
# A transform has its ValueErrors for more than images; OpenCV has one error.
_OF_IMAGES = (OSError, InputError, AssertionError, cv2.error)


def build_domains(
        source: dict | BaseDataset,
        target: dict | BaseDataset) -> tuple[BaseDataset, BaseDataset]:
    """Return both domains, from configs or built.

    Raises:
        TypeError: If a domain is neither.
        ValueError: If a domain is missing or empty, if both name their
            classes and the names or their order differ, if a folder is no
            class or another one than its name says, or if features of both
            are of different networks.
    """
    source = _build('source', source)
    target = _build('target', target)
    for domain, dataset in dict(source=source, target=target).items():
        check_folders(dataset, f'the {domain}')
    check_same_labels(source, target, sides=('the source', 'the target'))
    networks = [
        dataset.metainfo.get('network') for dataset in (source, target)
    ]
    if None not in networks and networks[0] != networks[1]:
        raise InputError(
            'The features of source and target should be of one network, but '
            f'got {networks[0]} and {networks[1]}.')
    return source, target


def load_item(domain: str, dataset: BaseDataset, index: int) -> dict:
    """Load an item of a domain.

    Raises:
        InputError: If its pipeline gives no ``inputs``, or if it fails as on
            an image that is broken.
        RuntimeError: If it fails otherwise. Both say for which image.
    """
    try:
        item = dataset[index]
    except Exception as error:
        # What a decoder says of a broken image seldom tells which one it is.
        get_info = getattr(dataset, 'get_data_info', lambda _: {})
        name = get_info(index).get('img_path', f'number {index}')
        kind = InputError if isinstance(error, _OF_IMAGES) else RuntimeError
        raise kind(
            f'Each image of the {domain} domain should pass its pipeline, but '
            f'{name} failed: {type(error).__name__}: {error}') from error
    if 'inputs' not in item:
        raise InputError(f'The pipeline of the {domain} should give `inputs`, '
                         'as PackInputs at its end does, but gives '
                         f'{sorted(item)}.')
    return item


def _build(domain: str, dataset: dict | BaseDataset) -> BaseDataset:
    if not (isinstance(dataset, dict) or hasattr(dataset, 'metainfo')):
        raise InputTypeError(
            f'`{domain}` should be a data set, or a config of one such as '
            f"dict(type='CustomDataset', ...), but got {dataset!r}.")
    try:
        if isinstance(dataset, dict):
            dataset = DATASETS.build(dataset)
        if hasattr(dataset, 'full_init'):
            dataset.full_init()
        if len(dataset) == 0:
            raise InputError('it is empty')
    except Exception as error:
        # Data sets fail in many ways where files are missing or there is no
        # image; none of them says which domain it was.
        kind = InputError if isinstance(error, _OF_DATA) else ValueError
        raise kind(
            f'The {domain} domain should be a data set with at least one '
            f'image, but building it failed: {error or repr(error)}'
        ) from error
    return dataset
