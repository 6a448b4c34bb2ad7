"""Check a GPU: the tests that need one, and what a step costs there.

    python tools/benchmarks/gpu_check.py > gpu.md

takes about six minutes on one GPU and prints one page of Markdown. The
tests compare with the CPU, mixed precision with float32, and NCCL with one
process. ``--device cpu --tiny`` tries out the script itself.
"""
from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

import torch

HERE = Path(__file__).parent
TESTS = HERE.parents[1] / 'tests/test_cuda'
# Networks that are fine-tuned, in the precisions that they are trained in.
MODELS = [
    ['--model', 'resnet50'],
    ['--model', 'resnet50', '--amp', 'bf16'],
    ['--model', 'resnet50', '--amp', 'fp16'],
    ['--model', 'vit-b', '--tf32'],
    ['--model', 'vit-b', '--amp', 'bf16'],
]
SIZE = ['--image-size', '224', '--batch-size', '32', '--rounds', '20',
        '--schemes', 'parameters', 'modules', 'features', 'published',
        'torchjd']
TINY = ['--image-size', '32', '--batch-size', '2', '--rounds', '1',
        '--warmup', '1', '--schemes', 'parameters']


def commands(device: str, tiny: bool) -> dict[str, list]:
    """What is run, by its heading on the page."""
    tests = ['-m', 'pytest', TESTS, '-q', '--tb=short']
    if tiny:
        tests += ['-k', 'harmonizers']
    models = MODELS[:1] if tiny else [
        model for model in MODELS if device == 'cuda' or '--amp' not in model
    ]
    size = TINY if tiny else SIZE
    cost = [HERE / 'step_cost.py', *size, '--device', device]
    return {
        'Tests': tests,
        **{' '.join(model): cost + model
           for model in models}
    }


def describe(device: str) -> str:
    name = 'CPU'
    if device == 'cuda':
        name = (f'{torch.cuda.get_device_name()}, CUDA {torch.version.cuda}, '
                f'cuDNN {torch.backends.cudnn.version()}')
    return f'{name}, torch {torch.__version__}, {os.cpu_count()} CPU cores'


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--device', choices=['cpu', 'cuda'], default='cuda')
    parser.add_argument(
        '--tiny', action='store_true', help='a part, with small images')
    args = parser.parse_args()
    if args.device == 'cuda' and not torch.cuda.is_available():
        parser.error('--device cuda needs a GPU, but torch finds none.')
    return args


def main() -> None:
    """Exit with 1 if anything failed; the page says what."""
    args = parse_args()
    print(f'# {describe(args.device)}', flush=True)
    failed = []
    for heading, command in commands(args.device, args.tiny).items():
        start = time.monotonic()
        print(f'\n## {heading}\n', flush=True)
        status = subprocess.run(
            [sys.executable, *map(str, command)],
            env=dict(os.environ, MMGH_TEST_DEVICE=args.device)).returncode
        print(f'\n{time.monotonic() - start:.0f} s, exit status {status}')
        if status:
            failed.append(heading)
    print('\n' + (f'Failed: {failed}' if failed else 'All passed.'))
    sys.exit(bool(failed))


if __name__ == '__main__':
    main()
