"""tools/train.py with the two optimizers of alternating MCD."""
from __future__ import annotations

import shutil
from pathlib import Path

import torch

CONFIG = (
    Path(__file__).parents[2] / 'configs/mcd' /
    'mcd-alternating-cls-gh_lenet_1xb32-1k_digits-digits2digitsm.py')
SHORT = [
    'train_cfg.max_iters=6', 'train_cfg.val_interval=6',
    'default_hooks.logger.interval=1', 'default_hooks.checkpoint.interval=3',
    'train_dataloader.batch_size=8', 'model.backbone.dropout=0.5'
]


def run(tools, work_dir: Path, *options: str, resume: bool = False) -> dict:
    flags = ['--resume'] * resume
    tools('train', CONFIG, '--work-dir', work_dir, *flags, '--cfg-options',
          *SHORT, f'experiment_name={work_dir.name}_{resume}', *options)
    return torch.load(work_dir / 'iter_6.pth', map_location='cpu')


def test_resumed_run_equals_an_uninterrupted_one(tools, tmp_path):
    """It stops between two comparisons of the gradients."""
    option = 'optim_wrapper.generator.interval=5'
    whole = run(tools, tmp_path / 'whole', option)
    stopped = tmp_path / 'stopped'
    stopped.mkdir()
    checkpoint = shutil.copy(tmp_path / 'whole/iter_3.pth', stopped)
    (stopped / 'last_checkpoint').write_text(checkpoint)
    resumed = run(tools, stopped, option, resume=True)
    for key in ('state_dict', 'optimizer'):
        torch.testing.assert_close(
            resumed[key], whole[key], rtol=0, atol=0)
    assert resumed['param_schedulers'] == whole['param_schedulers']
    for name, count in (('angle', 5), ('generator.lr', 6),
                        ('classifier.lr', 6), ('loss_generator', 6)):
        values, logged = (
            checkpoint['message_hub']['log_scalars'][f'train/{name}'].data[0]
            for checkpoint in (whole, resumed))
        assert values.tolist() == logged.tolist()
        assert len(values) == count
