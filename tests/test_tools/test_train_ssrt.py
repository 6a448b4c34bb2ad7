"""SSRT with safe training through tools/train.py."""
from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

CONFIG = (
    Path(__file__).parents[2] /
    'configs/ssrt/ssrt-gh_vit-tiny_1xb32-1k_digits-digits2digitsm.py')
# Any decrease of the diversity counts: intervals of two iterations.
OPTIONS = [
    'train_cfg.max_iters=6', 'train_cfg.val_interval=6',
    'default_hooks.logger.interval=1', 'default_hooks.checkpoint.interval=3',
    'train_dataloader.batch_size=8', 'model.confidence=0',
    'model.uda_head.discriminator.hidden_channels=16',
    'optim_wrapper.optimizer.lr=0.02', 'custom_hooks.0.interval=2',
    'custom_hooks.0.num_scales=2', 'custom_hooks.0.tolerance=0'
]




@pytest.fixture(scope='module')
def train(tools):
    """``train(work_dir, ...)`` runs to iteration 6."""

    def run(work_dir: Path, *flags: str) -> dict:
        name = f'experiment_name={work_dir.name}'
        tools('train', CONFIG, '--work-dir', work_dir, *flags,
              '--cfg-options', *OPTIONS, name)
        return torch.load(work_dir / 'iter_6.pth')

    return run


def assert_same(first, second) -> None:
    torch.testing.assert_close(first, second, rtol=0, atol=0)


def strengths(checkpoint: dict) -> list[float]:
    scalars = checkpoint['message_hub']['log_scalars']
    return scalars['train/adaptation_strength'].data[0].tolist()


def test_resumed_run_equals_an_uninterrupted_one(train, tmp_path):
    """Stopped within an interval; the next one is undone."""
    whole = train(tmp_path / 'whole')
    middle = torch.load(tmp_path / 'whole/iter_3.pth')
    assert len(middle['safe_training']['diversities']) == 1
    state = whole['safe_training']
    assert state['ramp_begin'] == 6
    assert_same(state['snapshot']['model'], whole['state_dict'])
    assert_same(state['snapshot']['optimizer']['state'],
                whole['optimizer']['state'])

    stopped = tmp_path / 'stopped'
    stopped.mkdir()
    checkpoint = shutil.copy(tmp_path / 'whole/iter_3.pth', stopped)
    (stopped / 'last_checkpoint').write_text(checkpoint)
    resumed = train(stopped, '--resume')
    for name in ('state_dict', 'optimizer', 'safe_training'):
        assert_same(resumed[name], whole[name])
    assert strengths(resumed) == strengths(whole)
