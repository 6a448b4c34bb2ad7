"""Test a checkpoint.

    mmgh test CONFIG CHECKPOINT

The metrics are those of the config.
"""
from __future__ import annotations

import argparse
from copy import deepcopy
from pathlib import Path

import mmengine
from command_line import (build_runner, load_config, make_parser,
                          require_gpu_for_amp, set_loader_defaults, slips_told)
from expected_errors import one_line_errors
from mmengine.config import Config, ConfigDict
from mmengine.evaluator import DumpResults

from mmgh.checkpoints import checkpoint_of
from mmgh.input_error import InputError


def parse_args() -> argparse.Namespace:
    parser = make_parser('Test (and evaluate) a model')
    parser.add_argument(
        'checkpoint', help='its path, or the work directory of a run')
    parser.add_argument('--out', help='file for predictions or metrics')
    parser.add_argument(
        '--out-item',
        choices=['metrics', 'pred'],
        help='what goes to --out; predictions by default')
    parser.add_argument(
        '--show-dir', help='directory for pictures of the predictions')
    parser.add_argument(
        '--show', action='store_true', help='show them in a window')
    parser.add_argument(
        '--interval', type=int, default=1, help='show every n-th image')
    parser.add_argument(
        '--wait-time',
        type=float,
        default=2,
        help='seconds that a window stays')
    parser.add_argument(
        '--tta', action='store_true', help='average over flipped images')
    args = parser.parse_args()
    if args.out is None and args.out_item is not None:
        parser.error('--out-item needs --out')
    return args


def merge_args(cfg: Config, args: argparse.Namespace) -> None:
    """Let the options of testing override the config."""
    cfg.load_from = args.checkpoint
    if Path(args.checkpoint).is_dir():
        cfg.load_from = str(checkpoint_of(args.checkpoint))
    if args.amp:
        require_gpu_for_amp()
        cfg.test_cfg.fp16 = True
    if args.show or args.show_dir is not None:
        show_predictions(cfg, args)
    if args.tta:
        augment_test_images(cfg)
    set_loader_defaults(cfg, not args.no_pin_memory, persistent_workers=False)


def show_predictions(cfg: Config, args: argparse.Namespace) -> None:
    if 'visualization' not in cfg.get('default_hooks', {}):
        raise SystemExit('--show and --show-dir need `default_hooks.'
                         'visualization=dict(type="VisualizationHook")` in '
                         'the config.')
    cfg.default_hooks.visualization.update(
        enable=True,
        show=args.show,
        wait_time=args.wait_time,
        out_dir=args.show_dir,
        interval=args.interval)


def augment_test_images(cfg: Config) -> None:
    """Average over an image and its mirror image, unless the config says
    what to average over."""
    cfg.setdefault('tta_model', dict(type='mmpretrain.AverageClsScoreTTA'))
    if 'tta_pipeline' not in cfg:
        *transforms, pack = deepcopy(cfg.test_dataloader.dataset.pipeline)
        flips = [dict(type='RandomFlip', prob=prob) for prob in (1., 0.)]
        cfg.tta_pipeline = [
            *transforms,
            dict(type='TestTimeAug', transforms=[flips, [pack]])
        ]
    cfg.model = ConfigDict(**cfg.tta_model, module=cfg.model)
    cfg.test_dataloader.dataset.pipeline = cfg.tta_pipeline


@one_line_errors(InputError)
def main() -> None:
    args = parse_args()
    cfg = load_config(args)
    merge_args(cfg, args)
    with slips_told(cfg):
        runner = build_runner(cfg)
        if args.out and args.out_item != 'metrics':
            runner.test_evaluator.metrics.append(
                DumpResults(out_file_path=args.out))
        metrics = runner.test()
    if args.out_item == 'metrics':
        mmengine.dump(metrics, args.out)


if __name__ == '__main__':
    main()
