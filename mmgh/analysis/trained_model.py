from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Mapping, NamedTuple, Sequence

import numpy as np
from mmengine.config import Config, ConfigDict
from mmengine.registry import MODELS, init_default_scope
from torch import Tensor, nn

from mmgh.checkpoints import (check_finite, checkpoint_of, newest_checkpoint,
                              read_checkpoint, read_on_disk)
from mmgh.config_data import unmarked
from mmgh.config_file import (parse_config, parse_values, read_config,
                              untrusted_imports)
from mmgh.input_error import InputError
from mmgh.registered_types import check_registered

# Settings that tools build something of.
_BUILT = ('model', 'data_preprocessor', 'dataloader', 'evaluator', 'pipeline')
CONFIG_SUFFIXES = ('.py', '.json', '.yaml', '.yml')


class Trained(NamedTuple):
    """A checkpoint, and what it says of its training."""

    path: Path
    """The file."""
    content: dict
    """As MMEngine saves it."""
    cfg_options: dict | None = None
    """Settings that replace those of the training, such as the folder of data
    that were moved."""

    @property
    def cfg(self) -> Config:
        """The config that it was trained with, and the options.

        What is built of it are registered types.
        """
        cfg = parse_config(self.content['meta']['cfg'], self.cfg_options,
                           self.path)
        check_registered([
            value for name, value in cfg.items() if name.endswith(_BUILT)
        ], self.path)
        return cfg

    @property
    def values(self) -> Config:
        """The same for who builds nothing of it: no module is imported, and
        to find types takes seconds."""
        return parse_values(self.content['meta']['cfg'], self.cfg_options,
                            self.path)

    @property
    def untrusted_imports(self) -> list[str]:
        """Modules of the user's who trained, without which :attr:`cfg` is
        refused; none if the options name them."""
        return untrusted_imports(self.content['meta']['cfg'],
                                 self.cfg_options, self.path)

    @property
    def iteration(self) -> int:
        """Training iterations done."""
        return self.content['meta']['iter']

    @property
    def iterations_of_step(self) -> int:
        """Training iterations of a step of the validations in the log: those
        of an epoch, where MMEngine counts them by epoch."""
        cfg = self.values
        logger = (cfg.get('default_hooks') or {}).get('logger') or {}
        training = cfg.get('train_cfg') or {}
        epochs = self.content['meta'].get('epoch', 0)
        by_epoch = (
            logger.get('log_metric_by_epoch', True)
            and (training.get('by_epoch')
                 or training.get('type') == 'EpochBasedTrainLoop'))
        return self.iteration // epochs if by_epoch and epochs else 1

    @property
    def named_classes(self) -> Sequence[str] | None:
        """Names of the classes; None where the data have none."""
        meta = self.content['meta'].get('dataset_meta') or {}
        return meta.get('classes')

    @property
    def classes(self) -> list[str]:
        """Names of the classes; numbers where the data have none."""
        head = unmarked(self.values.model).get('head') or {}
        number = head.get('num_classes', 0)
        return [str(name) for name in self.named_classes or range(number)]

    @property
    def history(self) -> dict[str, np.ndarray]:
        """Values of each logged scalar, such as ``train/angle``: one per
        training iteration, or fewer where it is not computed in each. In a
        long training older ones are means of a few iterations, see
        :class:`mmgh.hooks.LogLengthHook`.

        Empty if the checkpoint was saved without its log.
        """
        hub = self.content.get('message_hub') or {}
        scalars = hub.get('log_scalars', {})
        return {
            name: _values(*buffer.data)
            for name, buffer in scalars.items()
        }

    @property
    def weights(self) -> Mapping[str, Tensor]:
        """Those of the model; they are finite."""
        check_finite(self.content['state_dict'], self.path)
        return self.content['state_dict']

    def build_model(self, device: str = 'cpu') -> nn.Module:
        """Build the trained model, ready to predict."""
        cfg = self.cfg
        init_default_scope(cfg.get('default_scope', 'mmpretrain'))
        model = MODELS.build(model_config(cfg))
        try:
            model.load_state_dict(self.weights)
        except RuntimeError as error:  # it lists what does not fit
            raise InputError(f'{self.path} should have the weights of the '
                             f'model in its config, but: {error}') from error
        return model.to(device).eval()


def _values(sums: np.ndarray, counts: np.ndarray) -> np.ndarray:
    return np.repeat(sums / counts, counts.astype(int))


def model_config(cfg: Config) -> ConfigDict:
    """Return the config of the model, with the preprocessor that may stand
    beside it."""
    model = deepcopy(cfg.model)
    if 'data_preprocessor' in cfg:
        model.setdefault('data_preprocessor', deepcopy(cfg.data_preprocessor))
    return model


def load_trained(path: str | Path,
                 cfg_options: dict | None = None,
                 newest: bool = False) -> Trained:
    """Read a checkpoint.

    Args:
        path (str | Path): A checkpoint of MMEngine, or a work directory, for
            which :func:`mmgh.checkpoints.checkpoint_of` stands; it is told on
            stderr.
        cfg_options (dict, optional): Settings that replace those of the
            training. Defaults to None.
        newest (bool): Whether the newest checkpoint of a work directory
            stands for it, which has the whole log; its weights stay on the
            disk. Defaults to False.

    Raises:
        FileNotFoundError: If there is none.
        InputError: If it is none of a training, or if its config does not
            take the options.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(
            f'{path} should be a work directory or a checkpoint, but does not '
            'exist.')
    checkpoint = path
    if path.is_dir():
        find = newest_checkpoint if newest else checkpoint_of
        checkpoint = find(path)
    content = (read_on_disk if newest else read_checkpoint)(checkpoint)
    if 'state_dict' not in content or 'cfg' not in (
            content.get('meta') or {}):
        raise InputError(
            f'{checkpoint} should be a checkpoint that MMEngine saved in '
            'training, with its config; but it has no `meta.cfg`.')
    trained = Trained(checkpoint, content, cfg_options)
    if cfg_options:
        _ = trained.values  # fails, if it does not take them
    return trained


def load_config(path: str | Path, cfg_options: dict | None = None) -> Config:
    """Read a config, or that of a training.

    Args:
        path (str | Path): A file with a config, a checkpoint or a work
            directory.
        cfg_options (dict, optional): Settings that replace those of the
            config. Defaults to None.

    Raises:
        FileNotFoundError: If there is none.
        InputError: If it is none, or does not take the options.
    """
    path = Path(path)
    if path.suffix not in CONFIG_SUFFIXES or path.is_dir():
        return load_trained(path, cfg_options).cfg
    return read_config(path, cfg_options)


def check_classes(runs: Sequence[Trained], names: Sequence[str]) -> None:
    """Refuse runs whose labels differ in meaning.

    Args:
        runs (Sequence[Trained]): All should have the classes of the first.
        names (Sequence[str]): Of the runs.

    Raises:
        InputError: If the classes, or their order, differ.
    """
    for run, name in zip(runs, names):
        if run.classes != runs[0].classes:
            raise InputError(
                f'{name} should have the classes of {names[0]}, '
                f'{runs[0].classes}, but has {run.classes}.')
