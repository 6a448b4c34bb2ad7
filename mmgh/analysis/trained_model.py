from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope
from torch import nn


class Trained(NamedTuple):
    """A checkpoint, and what it says of its training."""

    path: Path
    """The file."""
    content: dict
    """As MMEngine saves it."""

    @property
    def cfg(self) -> Config:
        """The config that it was trained with."""
        return Config.fromstring(self.content['meta']['cfg'], '.py')

    @property
    def iteration(self) -> int:
        """Training iterations done."""
        return self.content['meta']['iter']

    @property
    def classes(self) -> list[str]:
        """Names of the classes; numbers where the data have none."""
        meta = self.content['meta'].get('dataset_meta') or {}
        number = self.cfg.model.get('head', {}).get('num_classes', 0)
        return [str(name) for name in meta.get('classes') or range(number)]

    @property
    def history(self) -> dict[str, np.ndarray]:
        """One value per training iteration of each logged scalar, such as
        ``train/angle``."""
        scalars = self.content['message_hub']['log_scalars']
        return {name: buffer.data[0] for name, buffer in scalars.items()}

    def build_model(self, device: str = 'cpu') -> nn.Module:
        """The trained model, ready to predict."""
        cfg = self.cfg
        init_default_scope(cfg.get('default_scope', 'mmpretrain'))
        if 'data_preprocessor' in cfg:
            cfg.model.setdefault('data_preprocessor', cfg.data_preprocessor)
        model = MODELS.build(cfg.model)
        model.load_state_dict(self.content['state_dict'])
        return model.to(device).eval()


def load_trained(path: str | Path) -> Trained:
    """Read a checkpoint.

    Args:
        path (str | Path): A checkpoint of MMEngine, or a work directory, of
            which the last one counts.

    Raises:
        SystemExit: If there is none, or if it is none of a training.
    """
    path = Path(path)
    if not path.exists():
        raise SystemExit(f'{path} should be a work directory or a checkpoint, '
                         'but does not exist.')
    checkpoint = last_checkpoint(path) if path.is_dir() else path
    try:
        content = torch.load(checkpoint, map_location='cpu')
    except Exception as error:  # torch names no common type
        raise SystemExit(
            f'{checkpoint} should be a checkpoint of MMEngine, but reading it '
            f'failed: {type(error).__name__}: {error}') from error
    if not isinstance(content, dict) or not {'meta', 'state_dict'} <= set(
            content) or 'cfg' not in content['meta']:
        raise SystemExit(
            f'{checkpoint} should be a checkpoint that MMEngine saved in '
            'training, with its config; but it has no `meta.cfg`.')
    return Trained(checkpoint, content)


def last_checkpoint(work_dir: Path) -> Path:
    """The last one of a run, also where its directory was moved."""
    pointer = work_dir / 'last_checkpoint'
    if not pointer.exists():
        raise SystemExit(f'{work_dir} should be the work directory of a run '
                         'with a checkpoint, but has no `last_checkpoint`.')
    checkpoint = work_dir / Path(pointer.read_text().strip()).name
    if not checkpoint.exists():
        raise SystemExit(f'{pointer} names {checkpoint.name}, but there is no '
                         f'{checkpoint}.')
    return checkpoint
