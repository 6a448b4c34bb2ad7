"""What it takes to load images from their files, and from memory.

    python tools/benchmarks/image_cache.py FOLDER

FOLDER has images in folders of classes. They pass the pipeline of a config for
training, once an epoch, as a data loader without workers hands them out, with
and without `cache='memory'` in turn. The first epoch with it still decodes.
"""
from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

# Before anything of OpenMMLab: it may repair an import of theirs.
import mmgh  # noqa: F401

# isort: split
import torch
from mmengine.dataset import BaseDataset

from mmgh.config_file import read_config
from mmgh.datasets import ImageFolder


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('folder', type=Path, help='<folder>/<class>/<image>')
    parser.add_argument(
        '--config',
        default='_base_/datasets/imagenet_224.py',
        help='whose `train_pipeline` it is (default: %(default)s)')
    parser.add_argument(
        '--epochs',
        type=int,
        default=4,
        help='of each (default: 4); ratios are medians of all but the first')
    parser.add_argument(
        '--gib', type=float, default=8, help='of memory (default: 8)')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    pipeline = read_config(args.config).train_pipeline
    torch.set_num_threads(1)
    files, memory = (
        ImageFolder(data_root=str(args.folder), pipeline=pipeline, **options)
        for options in ({}, dict(cache='memory', cache_gib=args.gib)))
    print(f'{len(files)} images of {args.folder}, milliseconds an image\n\n'
          '| epoch | from files | from memory | ratio |\n'
          '| ---: | ---: | ---: | ---: |')
    ratios = []
    for epoch in range(1, args.epochs + 1):
        first, second = milliseconds(files), milliseconds(memory)
        ratios.append(second / first)
        print(f'| {epoch} | {first:.2f} | {second:.2f} | {ratios[-1]:.2f} |',
              flush=True)
    if len(ratios) > 1:
        print(f'\nRatio, median: {statistics.median(ratios[1:]):.2f}')


def milliseconds(dataset: BaseDataset) -> float:
    """Time an epoch, for one image."""
    start = time.perf_counter()
    for i in range(len(dataset)):
        dataset[i]
    return 1000 * (time.perf_counter() - start) / len(dataset)


if __name__ == '__main__':
    main()
