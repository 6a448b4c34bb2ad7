"""Trainings of six iterations, and what they leave."""
from __future__ import annotations

import shutil
from pathlib import Path

import torch

SHORT = [
    'train_cfg.max_iters=6', 'train_cfg.val_interval=6',
    'default_hooks.logger.interval=1', 'default_hooks.checkpoint.interval=3',
    'train_dataloader.batch_size=8'
]


def read(path: Path) -> dict:
    return torch.load(path, map_location='cpu')


def assert_same(first: dict, second: dict) -> None:
    torch.testing.assert_close(first, second, rtol=0, atol=0)


def stop_after_three(work_dir: Path, stopped: Path) -> Path:
    """What a run that was killed after its first checkpoint leaves."""
    stopped.mkdir()
    checkpoint = shutil.copy(work_dir / 'iter_3.pth', stopped)
    (stopped / 'last_checkpoint').write_text(checkpoint)
    return stopped


def logged(checkpoint: dict, name: str) -> list[float]:
    """Values of all iterations so far."""
    values, _ = checkpoint['message_hub']['log_scalars'][f'train/{name}'].data
    return values.tolist()


def assert_same_training(resumed: dict, whole: dict) -> None:
    """Bit for bit: weights, optimizers, schedules and log."""
    assert_same(resumed['state_dict'], whole['state_dict'])
    assert_same(resumed['optimizer'], whole['optimizer'])
    assert resumed['param_schedulers'] == whole['param_schedulers']
    names = whole['message_hub']['log_scalars']
    for name in (name[6:] for name in names if 'time' not in name):
        assert logged(resumed, name) == logged(whole, name)
