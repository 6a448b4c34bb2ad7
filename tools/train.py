"""Train a model from a config.

    mmgh train CONFIG

Logs and checkpoints go to the work directory.
"""
from __future__ import annotations

import argparse
from urllib.error import URLError

from command_line import (build_runner, load_config, make_parser,
                          require_gpu_for_amp, set_loader_defaults, slips_told)
from expected_errors import one_line_errors
from harmonizer_option import add_harmonizer_option, apply_harmonizer_option
from mmengine.config import Config
from stopping import saving_when_stopped
from wrapper_types import AMP, swap_wrapper_type

from mmgh.command.early_checks import to_resume
from mmgh.divergence import DivergenceError
from mmgh.input_error import InputError

DOWNLOAD = ('What the config names by an address, such as pretrained weights, '
            'should be downloaded; without a connection name a file')
STOPPED = 'Stopped. With --resume it goes on from the last checkpoint.'


def parse_args() -> argparse.Namespace:
    parser = make_parser('Train a model')
    add_harmonizer_option(parser)
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        help='checkpoint to resume from; without a value the latest one in '
        'the work directory')
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
        '--no-persistent-workers',
        action='store_true',
        help='restart the workers of data loaders in each epoch')
    args = parser.parse_args()
    if args.resume is not None and (wrong := to_resume(args.resume)):
        raise SystemExit(wrong)
    return args


def merge_args(cfg: Config, args: argparse.Namespace) -> None:
    """Let the options of training override the config."""
    if args.no_validate:
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    apply_harmonizer_option(cfg, args)
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
    set_loader_defaults(cfg, not args.no_pin_memory,
                        not args.no_persistent_workers)


def enable_amp(cfg: Config) -> None:
    """Replace the optim wrapper by the one for mixed precision."""
    require_gpu_for_amp()
    with one_line_errors(InputError, about='--amp'):
        swap_wrapper_type(cfg.optim_wrapper, AMP)
    cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')


def main() -> None:
    args = parse_args()
    cfg = load_config(args)
    merge_args(cfg, args)
    with slips_told(cfg), one_line_errors(
            URLError, about=DOWNLOAD), one_line_errors(
                DivergenceError, stopped=STOPPED):
        runner = build_runner(cfg)
        with saving_when_stopped(runner):
            runner.train()


if __name__ == '__main__':
    main()
