"""Train a model from a config: python tools/train.py CONFIG."""
from __future__ import annotations

import argparse
import os
from pathlib import Path

import torch
# Before anything of OpenMMLab: it may repair an import of theirs.
import mmgh  # noqa: F401
from mmengine.config import Config, ConfigDict, DictAction
from mmengine.registry import RUNNERS
from mmengine.runner import Runner

LOADER_DEFAULTS = dict(
    pin_memory=True,
    persistent_workers=True,
    collate_fn=dict(type='default_collate'))


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Train a model')
    parser.add_argument('config', help='path of the config')
    parser.add_argument('--work-dir', help='where logs and checkpoints go')
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        help='checkpoint to resume from; without a value the latest one in '
        'the work directory')
    parser.add_argument(
        '--amp', action='store_true', help='automatic mixed precision')
    parser.add_argument(
        '--no-validate',
        action='store_true',
        help='do not evaluate during training')
    parser.add_argument(
        '--auto-scale-lr',
        action='store_true',
        help='scale the learning rate by the actual batch size over '
        'auto_scale_lr.base_batch_size')
    parser.add_argument(
        '--no-pin-memory',
        action='store_true',
        help='do not pin memory in data loaders')
    parser.add_argument(
        '--no-persistent-workers',
        action='store_true',
        help='restart the workers of data loaders in each epoch')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        help='override settings of the config, such as '
        'optim_wrapper.optimizer.lr=0.1 or key="[(a,b),(c,d)]"')
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='how the processes of distributed training were started')
    parser.add_argument(
        '--local_rank', '--local-rank', type=int, default=0,
        help='set by launchers')
    args = parser.parse_args()
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return args


def merge_args(cfg: Config, args: argparse.Namespace) -> Config:
    """Let the command line override the config."""
    cfg.launcher = args.launcher
    if args.cfg_options is not None:
        cfg.merge_from_dict(args.cfg_options)
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    elif cfg.get('work_dir') is None:
        cfg.work_dir = str(Path('work_dirs') / Path(args.config).stem)
    if args.no_validate:
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    if args.amp:
        enable_amp(cfg)
    if args.resume is not None:
        cfg.resume = True
        cfg.load_from = None if args.resume == 'auto' else args.resume
    if args.auto_scale_lr:
        if 'auto_scale_lr' not in cfg:
            raise SystemExit('--auto-scale-lr needs `auto_scale_lr='
                             'dict(base_batch_size=...)` in the config.')
        cfg.auto_scale_lr.enable = True
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        if cfg.get(name) is not None:
            cfg[name] = loader_config(cfg[name], args)
    return cfg


def enable_amp(cfg: Config) -> None:
    """Replace the optim wrapper by the one for mixed precision."""
    if not torch.cuda.is_available():
        raise SystemExit('--amp needs a GPU, but torch finds none.')
    found = cfg.optim_wrapper.get('type', 'OptimWrapper')
    if found not in ('OptimWrapper', 'AmpOptimWrapper'):
        raise SystemExit('--amp works with `optim_wrapper.type` OptimWrapper, '
                         f'but the config has {found}.')
    cfg.optim_wrapper.type = 'AmpOptimWrapper'
    cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')


def loader_config(loader: ConfigDict, args: argparse.Namespace) -> ConfigDict:
    """Fill in mmpretrain's defaults."""
    loader = ConfigDict({**LOADER_DEFAULTS, **loader})
    # Torch refuses persistent workers where there are none.
    if args.no_persistent_workers or not loader.get('num_workers'):
        loader.persistent_workers = False
    if args.no_pin_memory or not torch.cuda.is_available():
        loader.pin_memory = False
    return loader


def main() -> None:
    args = parse_args()
    cfg = merge_args(Config.fromfile(args.config), args)
    if 'runner_type' in cfg:
        runner = RUNNERS.build(cfg)
    else:
        runner = Runner.from_cfg(cfg)
    runner.train()


if __name__ == '__main__':
    main()
