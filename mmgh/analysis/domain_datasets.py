"""The images of both domains, as a config names them."""
from __future__ import annotations

from copy import deepcopy
from typing import Sequence

from mmengine.config import Config, ConfigDict
from mmengine.registry import DATASETS, init_default_scope
from torch.utils.data import Dataset

from mmgh.class_names import check_folders, check_same_classes, classes_of
from mmgh.config_data import innermost_datasets, pipeline_of, target_of
from mmgh.input_error import InputError

# Names of the settings.
TARGET = 'test_dataloader.dataset'
SOURCE = 'train_dataloader.dataset.source'


def domain_datasets(cfg: Config,
                    classes: Sequence[str] | None) -> dict[str, Dataset]:
    """Build both domains of a config, as they are seen in testing.

    ``target`` is the test data. ``source`` is the source of the training
    data, with the pipeline of the test data. Where the test data have both
    domains, they count.

    Args:
        cfg (Config): Of a training.
        classes (Sequence[str], optional): Names that the model knows, in the
            order of its outputs. None, where they have no names, equals any.

    Raises:
        InputError: If the config names one domain only, if the data cannot
            be found, or if their labels mean other classes.
    """
    test = _dataset_config(cfg, 'test_dataloader')
    train = _dataset_config(cfg, 'train_dataloader')
    if not has_domain_pair(cfg):
        raise InputError(
            '`train_dataloader.dataset` should be a domain pair, of which the '
            f'source is shown, but is a {train.get("type")}.')
    target = target_dataset(cfg, classes)
    if 'source' in test:
        source = _build(test.source, f'{TARGET}.source')
    else:
        for dataset in innermost_datasets(train.source).values():
            dataset.pipeline = pipeline_of(test)
        source = _build(train.source, SOURCE)
    _check_classes(source, classes, 'the source data')
    return dict(source=source, target=target)


def has_domain_pair(cfg: Config) -> bool:
    """Tell whether a config names both domains."""
    return any('source' in _dataset_config(cfg, f'{loader}_dataloader')
               for loader in ('train', 'test'))


def target_dataset(cfg: Config, classes: Sequence[str] | None) -> Dataset:
    """Build the test data of a config; of both domains the target.

    Args:
        cfg (Config): Of a training.
        classes (Sequence[str], optional): See :func:`domain_datasets`.

    Raises:
        InputError: If the config has no test data, if they cannot be found,
            or if their labels mean other classes.
    """
    test = _dataset_config(cfg, 'test_dataloader')
    if not test:
        raise InputError('`test_dataloader` should have the images of the '
                         'target, but the run was trained without one.')
    init_default_scope(cfg.get('default_scope', 'mmpretrain'))
    dataset = _build(
        target_of(test), f'{TARGET}.target' if 'target' in test else TARGET)
    _check_classes(dataset, classes, 'the test data')
    return dataset


def where_data_are(*datasets: tuple[str, ConfigDict]) -> str:
    """Say which settings name the folders of data.

    Args:
        *datasets (tuple[str, ConfigDict]): Names of settings, and the data
            sets that they have.
    """
    names = ', '.join(
        f'`{name}.data_root=...`' for setting, dataset in datasets
        for name in innermost_datasets(dataset, setting))
    return f'if the data have moved, set {names}'


def in_one_line(error: Exception) -> str:
    """Join type and message."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def _build(dataset: ConfigDict, setting: str) -> Dataset:
    hint = where_data_are((setting, dataset))
    try:
        dataset = DATASETS.build(dataset)
        if hasattr(dataset, 'full_init'):
            dataset.full_init()
    except Exception as error:  # data sets fail in many ways
        raise InputError(
            f'`{setting}` should be a data set that is there, but building it '
            f'ended in {in_one_line(error)}; {hint}.',
            argument='cfg_options') from error
    return dataset


def _check_classes(dataset: Dataset, classes: Sequence[str] | None,
                   side: str) -> None:
    """Refuse labels that mean other classes, as a test does: those of a
    folder follow whatever folders there are."""
    check_folders(dataset, side)
    check_same_classes(
        classes, classes_of(dataset), sides=('the training data', side))


def _dataset_config(cfg: Config, loader: str) -> ConfigDict:
    return deepcopy((cfg.get(loader) or {}).get('dataset') or ConfigDict())
