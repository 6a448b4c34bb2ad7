"""Evaluates on two processes, each of which sees every second image."""
from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import mmgh  # noqa: F401, isort: skip
import torch
import torch.multiprocessing as mp
from mmengine.evaluator import Evaluator
from mmengine.registry import init_default_scope
from torch import distributed

from .predictions import make_samples


def evaluate(metrics: list[dict], folder: Path) -> list[list[dict]]:
    """What each rank is told of the images, and of them in reverse order."""
    mp.spawn(_work, (metrics, str(folder)), nprocs=2)
    return [torch.load(folder / f'rank{rank}.pth') for rank in (0, 1)]


def evaluate_share(evaluator: Evaluator, samples: list, rank: int,
                   world_size: int) -> dict:
    """As with MMEngine's sampler the first images come again in the end, so
    that all ranks have equally many."""
    padded = samples + samples[:-len(samples) % world_size]
    mine = padded[rank::world_size]
    for first in range(0, len(mine), 5):
        evaluator.process(mine[first:first + 5])
    return evaluator.evaluate(len(samples))


def _work(rank: int, metrics: list[dict], folder: str) -> None:
    os.environ['GLOO_SOCKET_IFNAME'] = 'lo'
    distributed.init_process_group(
        'gloo',
        init_method=f'file://{folder}/store',
        rank=rank,
        world_size=2,
        timeout=timedelta(seconds=60))
    torch.set_num_threads(1)
    init_default_scope('mmpretrain')
    os.chdir(folder)  # MMEngine leaves a directory behind
    samples = make_samples()
    results = [
        evaluate_share(Evaluator(metrics), ordered, rank, world_size=2)
        for ordered in (samples, samples[::-1])
    ]
    torch.save(results, f'rank{rank}.pth')
    distributed.destroy_process_group()
