"""The images of both domains, as a config names them."""
from __future__ import annotations

from copy import deepcopy

from mmengine.config import Config, ConfigDict
from mmengine.registry import DATASETS, init_default_scope
from torch.utils.data import Dataset

from mmgh.config_data import innermost_datasets, pipeline_of, target_of
from mmgh.input_error import InputError

# Names of the settings.
TARGET = 'test_dataloader.dataset'
SOURCE = 'train_dataloader.dataset.source'


def domain_datasets(cfg: Config) -> dict[str, Dataset]:
    """Build both domains of a config, as they are seen in testing.

    ``target`` is the test data. ``source`` is the source of the training
    data, with the pipeline of the test data. Where the test data have both
    domains, they count.

    Raises:
        InputError: If the config names one domain only, or if the data cannot
            be found.
    """
    test = _dataset_config(cfg, 'test_dataloader')
    train = _dataset_config(cfg, 'train_dataloader')
    if not has_domain_pair(cfg):
        raise InputError(
            '`train_dataloader.dataset` should be a domain pair, of which the '
            f'source is shown, but is a {train.get("type")}.')
    target = target_dataset(cfg)
    if 'source' in test:
        return dict(
            source=_build(test.source, f'{TARGET}.source'), target=target)
    for dataset in innermost_datasets(train.source).values():
        dataset.pipeline = pipeline_of(test)
    return dict(source=_build(train.source, SOURCE), target=target)


def has_domain_pair(cfg: Config) -> bool:
    """Tell whether a config names both domains."""
    return any('source' in _dataset_config(cfg, f'{loader}_dataloader')
               for loader in ('train', 'test'))


def target_dataset(cfg: Config) -> Dataset:
    """Build the test data of a config; of both domains the target.

    Raises:
        InputError: If the config has no test data, or if they cannot be
            found.
    """
    test = _dataset_config(cfg, 'test_dataloader')
    if not test:
        raise InputError('`test_dataloader` should have the images of the '
                         'target, but the run was trained without one.')
    init_default_scope(cfg.get('default_scope', 'mmpretrain'))
    return _build(
        target_of(test), f'{TARGET}.target' if 'target' in test else TARGET)


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


def _dataset_config(cfg: Config, loader: str) -> ConfigDict:
    return deepcopy((cfg.get(loader) or {}).get('dataset') or ConfigDict())
